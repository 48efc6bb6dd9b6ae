/** Two ways to look at a tree of files: through the host's calls, and by the reader from an image. */
import { join } from 'node:path'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from '../base/host-files.ts'
import { addon } from '../native/addon.ts'
import { isFailure } from '../native/failure.ts'
import type { Located } from '../reader/cortex.ts'
import type { Volume } from '../reader/volume.ts'

/** What is compared of a file besides names and bytes. */
export interface Facts {
  readonly kind: 'file' | 'folder' | 'link' | 'other'
  /** Type and permission bits, as in st_mode. */
  readonly mode: number
  readonly owner: string
  readonly changedNs: bigint
  /** `name=hex`, sorted. */
  readonly xattrs: string
}

/** A tree, file by file; `Node` stands for one of its files. */
export interface View<Node> {
  facts(node: Node): Facts
  /** Names, and what they lead to, sorted by name. */
  children(folder: Node): ReadonlyArray<readonly [name: string, node: Node]>
  target(link: Node): string
  bytes(file: Node): Uint8Array
}

const S_IFMT = 0o170000
const KINDS: ReadonlyMap<number, Facts['kind']> = new Map([
  [0o100000, 'file'],
  [0o040000, 'folder'],
  [0o120000, 'link'],
])

const kindOf = (mode: number): Facts['kind'] => KINDS.get(mode & S_IFMT) ?? 'other'
const byName = (a: readonly [string, unknown], b: readonly [string, unknown]) => (a[0] < b[0] ? -1 : 1)

function hostXattrs(path: string): string {
  const native = addon()
  const list = native.listXattr(path)
  if (isFailure(list)) return `unreadable: ${list.code}`
  const names = list
    .toString('latin1')
    .split('\0')
    .filter(name => name !== '')
  return xattrText(names.map(name => [name, native.getXattr(path, name)] as const))
}

/** Only what users set: labels of the host's security modules are no part of a file. */
const xattrText = (pairs: ReadonlyArray<readonly [string, unknown]>): string =>
  pairs
    .filter(([name]) => name.startsWith('user.'))
    .sort(byName)
    .map(
      ([name, value]) => `${name}=${value instanceof Uint8Array ? Buffer.from(value).toString('hex') : 'unreadable'}`,
    )
    .join(' ')

/** Files of the host, a mount among them; a node is a path. */
export const HOST: View<string> = {
  facts(path) {
    const stat = lstatSync(path, { bigint: true })
    const mode = Number(stat.mode)
    return {
      kind: kindOf(mode),
      mode,
      owner: `${stat.uid}:${stat.gid}`,
      changedNs: stat.mtimeNs,
      xattrs: hostXattrs(path),
    }
  },
  children: folder =>
    readdirSync(folder)
      .map(name => [name, join(folder, name)] as const)
      .sort(byName),
  target: readlinkSync,
  bytes: path => readFileSync(path),
}

/** Files of an image, read without a mount and without the addon's engine. */
export function readerView(volume: Volume): View<Located> {
  return {
    facts(file) {
      const { slot } = file
      const mode = slot.anchor.permissions & 0xffff
      const { uid, gid } = slot.attributes
      return {
        kind: kindOf(mode),
        mode,
        owner: `${uid}:${gid}`,
        changedNs: slot.anchor.mod_clock,
        xattrs: xattrText(volume.xattrs(file).map(({ name, value }) => [Buffer.from(name).toString('latin1'), value])),
      }
    },
    children(folder) {
      const entries = [...volume.readDirectory(folder)]
      return entries
        .map(entry => [Buffer.from(entry.name).toString(), volume.fileOfEntry(folder.slot.number, entry)] as const)
        .sort(byName)
    },
    target: link => Buffer.from(volume.readlink(link)).toString(),
    bytes: file => Buffer.concat([...volume.readFile(file)].map(piece => Buffer.from(piece))),
  }
}
