/** The lock of an image, as the addon offers it (native/node/src/lock.rs). */
import type { Failure } from './failure.ts'

export interface ImageLock {
  /** Gives the image free. */
  release(): void
}

export interface LockAddon {
  /** Locks the image that is open as `fd`; `Busy`: somebody is in the way. Keep what it gives: a lost lock may be given up. */
  lockImage(fd: number, path: string, exclusive: boolean): ImageLock | Failure
}
