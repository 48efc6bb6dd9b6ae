/** Why a path of the host cannot be an image, in words that say what it is. */
import { Hn4Error, ioError } from '../base/error.ts'
import { lstatSync, readFileSync, readlinkSync, type Stats, statSync } from '../base/host-files.ts'
import { majorMinor } from './size.ts'

/** What can be neither read nor written as an image; undefined for files, block devices and directories. */
function strange(stat: Stats): string | undefined {
  if (stat.isCharacterDevice()) return 'a terminal or another character device'
  if (stat.isFIFO()) return 'a named pipe'
  return stat.isSocket() ? 'a socket' : undefined
}

/** @throws Hn4Error for what is there and can be no image; opened, a terminal or a pipe would already act or wait */
export function refuseStrange(path: string): void {
  let kind: string | undefined
  try {
    kind = strange(statSync(path))
  } catch {
    // What is wrong with it shows when it is opened.
  }
  if (kind !== undefined) throw new Hn4Error('ARGUMENT', { path, text: `${kind}, neither a file nor a block device` })
}

/** Where a symbolic link leads that leads nowhere. */
function danglingTo(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined
  } catch {
    return undefined
  }
}

function isReadOnlyDevice(path: string): boolean {
  try {
    const stat = statSync(path, { bigint: true })
    const { major, minor } = majorMinor(stat.rdev)
    return stat.isBlockDevice() && readFileSync(`/sys/dev/block/${major}:${minor}/ro`, 'utf8').trim() === '1'
  } catch {
    return false
  }
}

/** The error of an image that could not be opened; `hint` is for a device that takes no writes. */
export function openError(path: string, error: unknown, hint?: string): Hn4Error {
  if (path === '') return new Hn4Error('ARGUMENT', { text: 'an empty image name' }, { cause: error })
  const { code } = error as NodeJS.ErrnoException
  const target = code === 'ENOENT' || code === 'EEXIST' ? danglingTo(path) : undefined
  if (target !== undefined)
    return new Hn4Error(
      'NOT_FOUND',
      { path, text: `a symbolic link to ${target}, which is not there` },
      { cause: error },
    )
  const isRefusal = code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
  if (isRefusal && isReadOnlyDevice(path))
    return new Hn4Error(
      'ACCESS',
      { path, text: 'a read-only device', ...(hint !== undefined && { hint }) },
      { cause: error },
    )
  return ioError(path, 'open', error)
}
