/**
 * Exit codes: promises to scripts, all in one place. Two tables, each of its convention:
 * fsck(8)'s for everything that formats, checks or reads a volume, mount(8)'s for mount and umount.
 * Codes of a table may be ORed.
 */

/** fsck(8): mkfs, fsck, scrub and the image commands. */
export const EXIT = {
  OK: 0,
  /** mkfs, cp and the like: it did not work. For fsck and scrub: damage was found and corrected. */
  FAILED: 1,
  CORRECTED: 1,
  CORRECTED_REMOUNT: 2,
  /** Damage was found and is still there. */
  UNCORRECTED: 4,
  /** It could not be done: no such file, no permission, in use, input/output error. */
  OPERATIONAL: 8,
  USAGE: 16,
  CANCELLED: 32,
  LIBRARY: 128,
} as const

/** mount(8): hn4 mount, hn4 umount, mount.hn4. */
export const MOUNT_EXIT = {
  OK: 0,
  /** Wrong options, or not permitted. */
  USAGE: 1,
  /** The system refused something: memory, processes, devices. */
  SYSTEM: 2,
  /** A bug of ours. */
  BUG: 4,
  INTERRUPTED: 8,
  FAILED: 32,
  SOME: 64,
} as const

/** Which table a command speaks. */
export type ExitTable = 'mkfs' | 'fsck' | 'mount'

/** What a row means, for man pages and `--help`. */
export const EXIT_MEANINGS: Readonly<Record<ExitTable, ReadonlyArray<readonly [number, string]>>> = {
  mkfs: [
    [0, 'done'],
    [1, 'not done'],
    [16, 'usage error'],
    [32, 'cancelled by the user'],
  ],
  fsck: [
    [0, 'no damage'],
    [1, 'damage corrected'],
    [2, 'damage corrected, mount again'],
    [4, 'damage left'],
    [8, 'operational error'],
    [16, 'usage error'],
    [32, 'cancelled by the user'],
    [128, 'library error'],
  ],
  mount: [
    [0, 'done'],
    [1, 'usage error or no permission'],
    [2, 'system error'],
    [4, 'internal error'],
    [8, 'interrupted'],
    [32, 'mount failed'],
    [64, 'some mounts worked'],
  ],
}
