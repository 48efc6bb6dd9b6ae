/** Copies files of the host into a volume without a mount: image mode. */
import { join } from 'node:path'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from '../base/host-files.ts'
import { hostBytes } from '../base/host-text.ts'
import { type Failure, isFailure } from '../native/failure.ts'
import type { NativeEntry, VolumeHandle } from '../native/volume.ts'
import { DemoError } from './stage.ts'

const S_IFDIR = 0o040000
const S_IFLNK = 0o120000
const S_IFMT = 0o170000

function worked<T>(value: T | Failure, what: string): T {
  if (isFailure(value)) throw new DemoError(`${what}: ${value.text === '' ? value.code : value.text}`)
  return value
}

function make(volume: VolumeHandle, parent: number, name: Buffer, path: string, mode: number): NativeEntry {
  const kind = mode & S_IFMT
  if (kind === S_IFDIR) return worked(volume.mkdir(parent, name, 0o755), path)
  if (kind === S_IFLNK) return worked(volume.symlink(parent, name, hostBytes(readlinkSync(path))), path)
  const entry = worked(volume.create(parent, name, 0o644), path)
  const bytes = readFileSync(path)
  if (bytes.length > 0) worked(volume.write(entry.ino, 0, bytes), path)
  return entry
}

/** Copies `path`, with all below it, as `name` into the folder `parent`. */
export function importTree(volume: VolumeHandle, parent: number, name: string, path: string): void {
  const stat = lstatSync(path, { bigint: true })
  const mode = Number(stat.mode)
  const entry = make(volume, parent, Buffer.from(name), path, mode)
  if ((mode & S_IFMT) === S_IFDIR)
    for (const child of readdirSync(path)) importTree(volume, entry.ino, child, join(path, child))
  // Last: what comes into a folder changes its time.
  const owner = { uid: Number(stat.uid), gid: Number(stat.gid), mtime: stat.mtimeNs }
  const isLink = (mode & S_IFMT) === S_IFLNK
  worked(volume.setAttributes(entry.ino, isLink ? owner : { ...owner, mode: mode & 0o7777 }), path)
  worked(volume.forget(entry.ino), path)
}
