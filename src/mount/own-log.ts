/** The log of mounts where the system has none: a file in the runtime directory, for all mounts of a user. */
import { join } from 'node:path'
import { hostText } from '../base/host-text.ts'
import { ownDirectories, runtimeDirectory } from '../control/directory.ts'
import { addon } from '../native/addon.ts'

const NAME = 'hn4.log'

/** Where the lines of this process go: the path of a file, `stderr`, `system log`, or `nowhere`. */
export const linesTo = (): string => hostText(addon().linesTo())

/** Its path, in a directory that is there; undefined where none can be made. */
export function ownLog(): string | undefined {
  try {
    return join(runtimeDirectory(process.geteuid?.() ?? -1), NAME)
  } catch {
    return undefined
  }
}

/** Where it would be, for messages. Nothing is made. */
export function ownLogName(uid: number): string {
  return join(ownDirectories(uid)[0] ?? '', NAME)
}
