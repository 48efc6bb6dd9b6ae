/** Taking the lock that mounts take, for the programs that read and write images by themselves. */
import { addon, hasAddon } from './addon.ts'
import { errorOf, isFailure } from './failure.ts'
import type { ImageLock } from './lock.ts'

/**
 * Locks the open image: `exclusive` against everybody (the descriptor must be able to write), else against
 * writers. Null where no lock can be had: without the addon, on a host without locks.
 * @throws Hn4Error BUSY, naming the process that is in the way
 */
export function lockImage(fd: number, path: string, exclusive: boolean): ImageLock | null {
  if (!hasAddon()) return null
  const lock = addon().lockImage(fd, path, exclusive)
  if (!isFailure(lock)) return lock
  if (lock.code === 'Busy') throw errorOf(lock, path)
  return null
}
