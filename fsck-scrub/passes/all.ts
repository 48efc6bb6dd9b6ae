/** The passes of fsck and of scrub, in the order in which one builds on the other. */
import type { Pass } from '../check.ts'
import { anchorsPass } from './anchors.ts'
import { blocksPass } from './blocks.ts'
import { countersPass } from './counters.ts'
import { extensionsPass } from './extensions.ts'
import { logPass } from './log.ts'
import { lostFilesPass } from './lost-files.ts'
import { namesPass } from './names.ts'
import { pagesPass } from './pages.ts'
import { subtreePass } from './subtree.ts'
import { superblocksPass } from './superblocks.ts'

const COMMON: readonly Pass[] = [superblocksPass, logPass, pagesPass, anchorsPass, extensionsPass]

/** fsck: structure. */
export const FSCK_PASSES: readonly Pass[] = [...COMMON, blocksPass(false), namesPass, countersPass]

/** scrub: bytes. */
export const SCRUB_PASSES: readonly Pass[] = [...COMMON, blocksPass(true), lostFilesPass]

/** The same for the files below one path only. */
export function subtreePasses(path: string, withContent: boolean): readonly Pass[] {
  const only = new Set<number>()
  return [subtreePass(path, only), extensionsPass, blocksPass(withContent, only)]
}
