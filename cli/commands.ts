/** The subcommands of `hn4`, in the order of the help. A new command is one line here. */

import { fsck } from '../fsck-scrub/command.ts'
import { scrubCommand } from '../fsck-scrub/scrub-command.ts'
import { mkfs } from '../mkfs/command.ts'
import { tune } from '../mkfs/tune-command.ts'
import type { Command } from '../src/console/command.ts'
import { demo } from '../src/demo/command.ts'
import { IMAGE_COMMANDS } from '../src/image/commands.ts'
import { mount } from '../src/mount/command.ts'
import { statusCommand } from '../src/mount/status-command.ts'
import { trimCommand } from '../src/mount/trim-command.ts'
import { umount } from '../src/mount/umount-command.ts'
import { doctor } from './doctor.ts'
import { idCommand } from './id.ts'
import { installHelpers } from './install-helpers.ts'

export const COMMANDS: readonly Command[] = [
  mkfs,
  mount,
  umount,
  statusCommand,
  trimCommand,
  tune,
  fsck,
  scrubCommand,
  ...IMAGE_COMMANDS,
  idCommand,
  doctor,
  installHelpers,
  demo,
]

export const HN4: Command = {
  name: 'hn4',
  summary: 'work with hn4 volumes, mounted or not',
  description: ['Each command has its own help: hn4 help COMMAND, or hn4 COMMAND --help.'],
  exits: 'fsck',
  commands: COMMANDS,
  examples: [
    { line: 'mkfs.hn4 disk.img 4G', meaning: 'make a volume in a new sparse file' },
    { line: 'hn4 mount disk.img /mnt', meaning: 'mount it' },
    { line: 'hn4 scrub disk.img', meaning: 'verify every byte of it' },
  ],
}
