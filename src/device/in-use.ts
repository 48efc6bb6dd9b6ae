/**
 * Is an image in use? Mounted, swapped to, behind a loop device, or locked. --force never overrides this.
 * The kernel's own files are read; what cannot be read says nothing.
 */
import { type BigIntStats, readdirSync, readNamesSync } from '../base/host-files.ts'
import { mounts, unescapeOctal } from './mount-table.ts'
import { majorMinor } from './size.ts'

function lines(file: string): string[] {
  try {
    return readNamesSync(file).split('\n')
  } catch {
    return []
  }
}

/** Who uses `path` (absolute, links resolved), as words for the error; null if nobody is known to. */
export function usedBy(path: string, stat: BigIntStats): string | null {
  return mountedAt(path, stat, false) ?? swap(path) ?? loopDevice(path) ?? lockHolder(stat, false)
}

/** As `usedBy`, for who holds the exclusive lock: a mount of ours that is still there is dead then. */
export function usedBesides(path: string, stat: BigIntStats): string | null {
  return mountedAt(path, stat, false, true) ?? swap(path) ?? loopDevice(path)
}

/** Who may be writing to `path`: a reader then sees a volume in motion. */
export function writtenBy(path: string, stat: BigIntStats): string | null {
  return mountedAt(path, stat, true) ?? lockHolder(stat, true)
}

function mountedAt(path: string, stat: BigIntStats, isForWriting: boolean, isLockOurs = false): string | null {
  const { major, minor } = majorMinor(stat.rdev)
  const device = stat.isBlockDevice() ? `${major}:${minor}` : null
  for (const mount of mounts()) {
    if (isForWriting && !mount.options.includes('rw')) continue
    // A mount of ours without its lock is dead: its process was killed.
    if (mount.type === 'fuse.hn4' && (isLockOurs || lockHolder(stat, isForWriting) === null)) continue
    if (mount.source === path || (device !== null && mount.device === device)) return `mounted at ${mount.at}`
  }
  return null
}

function swap(path: string): string | null {
  const used = lines('/proc/swaps').some(line => unescapeOctal(line.split(/\s/)[0] ?? '') === path)
  return used ? 'used as swap space' : null
}

function loopDevice(path: string): string | null {
  let devices: string[]
  try {
    devices = readdirSync('/sys/block').filter(name => name.startsWith('loop'))
  } catch {
    return null
  }
  const found = devices.find(name => lines(`/sys/block/${name}/loop/backing_file`)[0] === path)
  return found === undefined ? null : `attached to /dev/${found}`
}

/** A lock of any kind on the image: a mount holds one (an OFD lock has no process id, -1). `isForWriting`: only a writer's. */
export function lockHolder(stat: BigIntStats, isForWriting: boolean): string | null {
  const { major, minor } = majorMinor(stat.dev)
  const two = (n: bigint): string => n.toString(16).padStart(2, '0')
  const place = `${two(major)}:${two(minor)}:${stat.ino}`
  for (const line of lines('/proc/locks')) {
    const fields = line.trim().split(/\s+/)
    const at = fields.indexOf(place)
    if (at < 2 || (isForWriting && fields[at - 2] !== 'WRITE')) continue
    const pid = fields[at - 1]
    return pid === '-1' || pid === '0' ? 'locked by another process' : `locked by process ${pid}`
  }
  return null
}
