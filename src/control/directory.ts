/**
 * Where the sockets of mounts are: a directory of the user who serves them, which nobody else may enter.
 *
 * Rules: the directory is no symbolic link, belongs to that user and has mode 0700; nobody else may
 * rename it away. One that is otherwise is refused, never repaired.
 */
import { dirname, isAbsolute, join } from 'node:path'
import { Hn4Error, ioError } from '../base/error.ts'
import { lstatSync, mkdirSync, type Stats, statSync } from '../base/host-files.ts'
import { hostEnvironment, temporaryDirectory } from '../base/host-process.ts'
import { isUtf8 } from '../base/host-text.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** What a socket's address has room for: sun_path of unix(7), with its NUL. */
const ADDRESS_BYTES = 107

/** Behind the name of a socket that is not in its place yet. */
const SUFFIX_BYTES = 16

const GROUP_OR_OTHERS = 0o077
const WRITABLE_BY_OTHERS = 0o022
const STICKY = 0o1000

/** Whether a socket in `directory` has an address, also while it is being made: Node takes only UTF-8. */
const fits = (directory: string): boolean =>
  isUtf8(directory) && Buffer.byteLength(socketPath(directory, '4095:1048575')) + SUFFIX_BYTES <= ADDRESS_BYTES

/** Directories in which this process may put its socket, the best first. */
export function ownDirectories(uid: number, env: Environment = hostEnvironment()): readonly string[] {
  if (uid === 0) return ['/run/hn4']
  const { XDG_RUNTIME_DIR: runtime } = env
  const named = runtime !== undefined && isAbsolute(runtime) ? [join(runtime, 'hn4')] : []
  return [...named, join(temporaryDirectory(env), `hn4-${uid}`)].filter(fits)
}

/** Directories in which the socket of a daemon of `uid` may be, whoever asks. */
export function searchedDirectories(
  uid: number,
  asker: number,
  env: Environment = hostEnvironment(),
): readonly string[] {
  if (uid === 0) return ['/run/hn4']
  const own = uid === asker ? ownDirectories(uid, env) : []
  // The daemon may have had another environment than the one who asks.
  return [
    ...new Set([...own, `/run/user/${uid}/hn4`, join(temporaryDirectory(env), `hn4-${uid}`), `/tmp/hn4-${uid}`]),
  ].filter(fits)
}

/** `device` is `major:minor`, as in /proc/self/mountinfo. */
export function socketPath(directory: string, device: string): string {
  if (!/^\d+:\d+$/.test(device)) throw new TypeError(`not a device number: ${device}`)
  return join(directory, `${device}.sock`)
}

function refusal(path: string, text: string): Hn4Error {
  return new Hn4Error('ACCESS', { path, text })
}

function checkOwner(path: string, stat: Stats, uid: number): void {
  if (!stat.isDirectory()) throw refusal(path, 'not a directory')
  if (stat.uid !== uid) throw refusal(path, `belongs to user ${stat.uid}, not to ${uid}`)
  if ((stat.mode & GROUP_OR_OTHERS) !== 0) throw refusal(path, 'open to others (its mode has to be 0700)')
}

/** Others can rename what lies in a directory that they may write to, unless it is sticky. */
function checkParent(path: string, uid: number): void {
  const stat = statSync(path)
  const isSafe = (stat.mode & WRITABLE_BY_OTHERS) === 0 || (stat.mode & STICKY) !== 0
  if (!isSafe || (stat.uid !== 0 && stat.uid !== uid)) throw refusal(path, 'others can rename what lies in it')
}

/** Throws ACCESS if the directory is not one of `uid` alone, NOT_FOUND if there is none. */
export function checkDirectory(path: string, uid: number): void {
  try {
    checkParent(dirname(path), uid)
    checkOwner(path, lstatSync(path), uid)
  } catch (error) {
    throw ioError(path, 'look at', error)
  }
}

/** The directory, made if it is not there. Throws as `checkDirectory`. */
function makeDirectory(path: string, uid: number): string {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw ioError(path, 'make', error)
  }
  checkDirectory(path, uid)
  return path
}

/** The first of `candidates` that can be used, made if need be. Throws why the last one cannot. */
export function runtimeDirectory(uid: number, candidates: readonly string[] = ownDirectories(uid)): string {
  let problem: unknown = new Hn4Error('NOT_FOUND', {
    text: 'no runtime directory with a name that is short enough, and UTF-8',
  })
  for (const path of candidates) {
    try {
      return makeDirectory(path, uid)
    } catch (error) {
      problem = error
    }
  }
  throw problem
}
