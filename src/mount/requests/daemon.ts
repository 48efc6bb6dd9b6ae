/** What requests over the control socket are about: the one mount of this process. */
import type { MountHandle, MountRequest } from '../../native/mount.ts'

export interface Daemon {
  readonly request: MountRequest
  readonly handle: MountHandle
  /** When the mount began, in milliseconds since 1970. */
  readonly sinceMs: number
  /** Where lines go now: a file, `stderr`, `system log`, or `nowhere`. */
  readonly linesTo: () => string
}
