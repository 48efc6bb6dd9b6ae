/** Whether what root is going to run can be changed by somebody else. */
import { dirname, join, parse, resolve } from 'node:path'
import { ioError } from '../src/base/error.ts'
import { lstatSync, readdirSync, readlinkSync, type Stats } from '../src/base/host-files.ts'

const GROUP_OR_OTHERS_WRITE = 0o022
const STICKY = 0o1000

function look(path: string): Stats {
  try {
    return lstatSync(path)
  } catch (error) {
    throw ioError(path, 'read', error)
  }
}

/** Of root, and writable by root alone. A symlink's mode means nothing. */
function isRoots(stats: Stats): boolean {
  return stats.uid === 0 && (stats.isSymbolicLink() || (stats.mode & GROUP_OR_OTHERS_WRITE) === 0)
}

/** The directories on the way to a path, and what symlinks on it lead to. */
function* way(path: string, seen: Set<string>): Generator<string> {
  let at = parse(path).root
  yield at
  for (const name of path.slice(at.length).split('/')) {
    at = join(at, name)
    if (seen.has(at)) continue
    seen.add(at)
    yield at
    if (look(at).isSymbolicLink()) yield* way(resolve(dirname(at), readlinkSync(at)), seen)
  }
}

/** Everything below a folder; symlinks are not followed. */
function* below(folder: string, without: readonly string[]): Generator<string> {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    yield path
    if (look(path).isDirectory() && !without.includes(path)) yield* below(path, without)
  }
}

function firstOnWay(path: string): string | undefined {
  for (const at of way(path, new Set())) {
    const stats = look(at)
    // In a directory such as /tmp nobody moves what is root's.
    const isShared = stats.isDirectory() && stats.uid === 0 && (stats.mode & STICKY) !== 0 && at !== path
    if (!isRoots(stats) && !isShared) return at
  }
  return undefined
}

/**
 * The first file or directory that others than root can change, of those that decide what is run: the paths with
 * the directories that lead to them and all that lies below them, but not below `without`. Undefined: there is none.
 */
export function othersCanWrite(paths: readonly string[], without: readonly string[] = []): string | undefined {
  for (const path of paths) {
    const found = firstOnWay(path)
    if (found !== undefined) return found
    if (!look(path).isDirectory()) continue
    for (const inside of below(path, without)) {
      const stats = look(inside)
      if (!isRoots(stats)) return inside
      const outside = stats.isSymbolicLink() ? firstOnWay(resolve(dirname(inside), readlinkSync(inside))) : undefined
      if (outside !== undefined) return outside
    }
  }
  return undefined
}
