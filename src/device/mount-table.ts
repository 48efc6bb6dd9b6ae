/** The kernel's mount table, /proc/self/mountinfo (proc(5)). */
import { readNamesSync, realEntrySync, realpathSync } from '../base/host-files.ts'

export interface Mount {
  /** Number of the mount, as in /proc/PID/fdinfo. */
  readonly id: number
  /** `major:minor` of the filesystem. */
  readonly device: string
  readonly at: string
  readonly options: readonly string[]
  /** Options of the filesystem, the same in all its mounts. */
  readonly shared: readonly string[]
  /** `ext4`, `fuse.hn4`. */
  readonly type: string
  readonly source: string
  /** Of a FUSE mount: the user who serves it. */
  readonly uid?: number
}

/** Types of our mounts: of an image file, and of a block device. */
const HN4_TYPES: readonly string[] = ['fuse.hn4', 'fuseblk.hn4']

export const isHn4Mount = (mount: Mount): boolean => HN4_TYPES.includes(mount.type)

/** Undoes the kernel's \ooo for space, tab, newline and backslash. */
export function unescapeOctal(text: string): string {
  if (!text.includes('\\')) return text
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}

/** One line; undefined for one of another shape. */
export function parseMount(line: string): Mount | undefined {
  const words = line.split(' ')
  const dash = words.indexOf('-', 6)
  const [id = '', , device = '', , at = '', options = ''] = words
  const [type, source, ofType = ''] = dash < 0 ? [] : words.slice(dash + 1)
  if (type === undefined || source === undefined || !/^\d+$/.test(id)) return undefined
  const uid = /(?:^|,)user_id=(\d+)(?:,|$)/.exec(ofType)?.[1]
  return {
    id: Number(id),
    device,
    at: unescapeOctal(at),
    options: options.split(','),
    shared: ofType.split(','),
    type,
    source: unescapeOctal(source),
    ...(uid !== undefined && { uid: Number(uid) }),
  }
}

/** All mounts that a process sees, in the order in which they were made; none where /proc is missing, or it has ended. */
export function mounts(process: number | 'self' = 'self'): readonly Mount[] {
  let text: string
  try {
    text = readNamesSync(`/proc/${process}/mountinfo`)
  } catch {
    return []
  }
  return text.split('\n').flatMap(line => parseMount(line) ?? [])
}

/** What is mounted on `path` (absolute, resolved), the uppermost. */
export function mountAt(path: string): Mount | undefined {
  return mounts().findLast(mount => mount.at === path)
}

/**
 * `path` absolute and without symbolic links. The last component is not looked into where that
 * fails because its mount is dead. Throws ENOENT and the like.
 */
export function resolveMountpoint(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTCONN') throw error
    return realEntrySync(path)
  }
}
