/** Public ids of files in a mount: read and set by the extended attribute that the engine answers. */
import { join, resolve } from 'node:path'
import { Hn4Error } from '../base/error.ts'
import { readlinkSync, realEntrySync } from '../base/host-files.ts'
import { isHn4Mount, type Mount, mounts } from '../device/mount-table.ts'
import { addon } from '../native/addon.ts'
import { errorOf, isFailure } from '../native/failure.ts'

const ATTRIBUTE = 'user.hn4.public_id'

export interface LivePath {
  readonly mount: Mount
  /** On the host, absolute. */
  readonly path: string
}

/** The hn4 mount that a path leads into; undefined where it leads elsewhere or nowhere. */
export function livePath(given: string): LivePath | undefined {
  let path: string
  try {
    path = realEntrySync(given)
  } catch {
    return undefined
  }
  const holds = (mount: Mount) => mount.at === '/' || path === mount.at || path.startsWith(`${mount.at}/`)
  // The deepest mountpoint counts, and of two on one the later.
  const deepest = mounts()
    .filter(holds)
    .reduce<Mount | undefined>((best, m) => (best !== undefined && m.at.length < best.at.length ? best : m), undefined)
  return deepest !== undefined && isHn4Mount(deepest) ? { mount: deepest, path } : undefined
}

export function readPublicId({ path }: LivePath): string {
  const value = addon().getXattr(path, ATTRIBUTE)
  if (isFailure(value)) throw errorOf(value, path)
  return value.toString('latin1')
}

/** Gives the file another id; it moves neither data nor anchor. Throws EXISTS for the id of another file. */
export function setPublicId({ path }: LivePath, id: string): void {
  const failure = addon().setXattr(path, ATTRIBUTE, Buffer.from(id))
  if (failure?.code === 'EEXIST') throw new Hn4Error('EXISTS', { path, text: `the id ${id} is another file's` })
  if (failure !== undefined) throw errorOf(failure, path)
}

/** The path, on the host, of the file with this id. */
export function pathOfId({ mount }: LivePath, id: string): string {
  const folder = join(mount.at, '.hn4/id')
  try {
    return resolve(folder, readlinkSync(join(folder, id)))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new Hn4Error('NOT_FOUND', { text: `no file with the id ${id}` }, { cause: error })
  }
}
