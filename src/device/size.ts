/** What kind of thing an image path names, and how many bytes it has. */
import { Hn4Error, ioError } from '../base/error.ts'
import { type BigIntStats, fstatSync, readFileSync, realpathSync } from '../base/host-files.ts'
import { isHn4Mount, mountAt } from './mount-table.ts'

/** `major:minor` of a device number as Linux encodes it. */
export function majorMinor(device: bigint): { major: bigint; minor: bigint } {
  return {
    major: ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn),
    minor: (device & 0xffn) | ((device >> 12n) & ~0xffn),
  }
}

/** Bytes of a regular file or block device. @throws Hn4Error ARGUMENT for anything else */
export function sizeOfTarget(fd: number, path: string): { bytes: number; isBlockDevice: boolean; stat: BigIntStats } {
  const stat = fstatSync(fd, { bigint: true })
  if (stat.isFile()) return { bytes: Number(stat.size), isBlockDevice: false, stat }
  if (stat.isBlockDevice()) return { bytes: blockDeviceBytes(stat.rdev, path), isBlockDevice: true, stat }
  throw new Hn4Error(stat.isDirectory() ? 'IS_DIRECTORY' : 'ARGUMENT', {
    path,
    text: stat.isDirectory() ? directoryText(path) : 'neither a file nor a block device',
  })
}

/** A directory is not an image, but a volume may be mounted on it. */
function directoryText(path: string): string {
  try {
    const mount = mountAt(realpathSync(path))
    if (mount !== undefined && isHn4Mount(mount))
      return `is where ${mount.source} is mounted: unmount it, and name the image`
  } catch {
    // Then it is a directory and no more.
  }
  return 'is a directory'
}

// fstat says 0 for a block device; the kernel tells its size in sectors of 512 bytes.
function blockDeviceBytes(rdev: bigint, path: string): number {
  const { major, minor } = majorMinor(rdev)
  const file = `/sys/dev/block/${major}:${minor}/size`
  try {
    return Number(readFileSync(file, 'utf8').trim()) * 512
  } catch (error) {
    throw ioError(path, 'size of the device', error)
  }
}
