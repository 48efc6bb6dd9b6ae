/** The commands that read a volume without mounting it. */
import type { Command } from '../console/command.ts'
import { anchorCommand } from './anchor.ts'
import { blocksCommand } from './blocks.ts'
import { catCommand, statCommand } from './content.ts'
import { infoCommand } from './info.ts'
import { lsCommand, treeCommand } from './list.ts'
import { logCommand } from './log.ts'

export const IMAGE_COMMANDS: readonly Command[] = [
  infoCommand,
  lsCommand,
  treeCommand,
  statCommand,
  catCommand,
  anchorCommand,
  blocksCommand,
  logCommand,
]
