/** The log of mounts where the system has none: a file in the runtime directory, for all mounts of a user. */
import { join } from 'node:path'
import { ownDirectories, runtimeDirectory } from '../control/directory.ts'

const NAME = 'hn4.log'

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
