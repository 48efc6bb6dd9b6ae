/**
 * Reading a volume, independent of the engine and of any mount: the library that the image commands,
 * scrub and fsck use. Opens read-only and never writes; a pending log is replayed into memory.
 */

import { Hn4Error, isDamage, type OnMissing } from '../base/error.ts'
import { hostBytes } from '../base/host-text.ts'
import { printableBytes } from '../base/printable.ts'
import { type BlockSource, ImageFile } from '../device/image.ts'
import type { CodecMaker } from '../format/block-codec.ts'
import { constant } from '../format/constants.ts'
import { type DirEntry, nameProblem } from '../format/directory.ts'
import type { Xattr } from '../format/extension.ts'
import { FileContent } from './content.ts'
import { Core } from './core.ts'
import { findAnchor, type Located } from './cortex.ts'
import { DirectoryReader, type OnDamage } from './directory.ts'
import { readFileXattrs, readSymlink } from './extensions.ts'
import { FileBlocks } from './file-blocks.ts'
import { Overwrites } from './overwrites.ts'

/** A path as bytes or as UTF-8 text; `/` apart, names are any bytes. */
export type VolumePath = string | Uint8Array

/** What a walk meets: a file, or damage in place of one. */
export interface WalkItem {
  /** From the root, as printable text. */
  readonly path: string
  readonly name: Uint8Array
  /** Number of the directory that has the name. */
  readonly directory: number
  readonly file: Located | null
  readonly error: Hn4Error | null
}

const LINKS_MAX = 40
const SLASH = '/'.charCodeAt(0)

/** The names of a path, `..` among them; empty ones and `.` are left out. @throws Hn4Error ARGUMENT for NUL and long names */
export function splitPath(path: VolumePath): Uint8Array[] {
  const bytes = typeof path === 'string' ? new Uint8Array(hostBytes(path)) : path
  const names: Uint8Array[] = []
  for (let start = 0; start <= bytes.length; ) {
    const at = bytes.indexOf(SLASH, start)
    const end = at < 0 ? bytes.length : at
    const name = bytes.subarray(start, end)
    start = end + 1
    if (name.length === 0 || Buffer.from(name).toString('latin1') === '.') continue
    const isUp = Buffer.from(name).toString('latin1') === '..'
    const problem = isUp ? null : nameProblem(name)
    if (problem !== null) throw new Hn4Error('ARGUMENT', { path: printableBytes(bytes), text: `path: ${problem}` })
    names.push(name)
  }
  return names
}

export class Volume {
  readonly core: Core
  #overwrites: Overwrites | null = null

  /**
   * `codec`: for volumes whose descriptors are not plain; no command of this version has one. `onMissing`: reads what
   * is left of a damaged volume, and gets what is in the way. @throws Hn4Error
   */
  constructor(source: BlockSource, codec?: CodecMaker, onMissing?: OnMissing) {
    this.core = new Core(source, codec, onMissing)
  }

  /** Opens an image file or a block device; `codec` as in the constructor. @throws Hn4Error */
  static open(path: string, codec?: CodecMaker): Volume {
    const source = new ImageFile(path)
    try {
      return new Volume(source, codec)
    } catch (error) {
      source.close()
      throw error
    }
  }

  close(): void {
    this.core.source.close()
  }

  /** The overwrite area's index, built at the first call. */
  get overwrites(): Overwrites {
    this.#overwrites ??= new Overwrites(this.core)
    return this.#overwrites
  }

  root(): Located {
    return findAnchor(this.core, constant('INO_ROOT'), 0)
  }

  /** The file of an entry; its seed_id must be the entry's. @throws Hn4Error ENTRY, ANCHOR... */
  fileOfEntry(directory: number, entry: DirEntry): Located {
    const file = findAnchor(this.core, Number(entry.number), entry.hint)
    const { hint, random } = file.slot.anchor
    const wrong = (cause: string): Hn4Error =>
      new Hn4Error('ENTRY', { number: directory, name: printableBytes(entry.name), cause })
    if (hint !== entry.hint || random !== entry.random) throw wrong(`file ${entry.number} has another seed_id`)
    if (file.slot.typeNumber !== entry.type)
      throw wrong(`type ${entry.type}, but file ${entry.number} is a ${file.slot.type}`)
    return file
  }

  /**
   * The file of a path. Symlinks on the way are followed inside the volume, the last only if `follow`.
   * @throws Hn4Error NOT_FOUND, NOT_DIRECTORY, LINK_LOOP, and any damage on the way
   */
  lookup(path: VolumePath, follow = false): Located {
    const shown = typeof path === 'string' ? path : printableBytes(path)
    const stack = [this.root()]
    const names = splitPath(path)
    let links = 0
    while (names.length > 0) {
      const name = names.shift()!
      if (Buffer.from(name).toString('latin1') === '..') {
        if (stack.length > 1) stack.pop()
        continue
      }
      const directory = stack.at(-1)!
      if (directory.slot.type !== 'directory') throw new Hn4Error('NOT_DIRECTORY', { path: shown })
      const entry = this.directory(directory).lookup(name)
      if (entry === null) throw new Hn4Error('NOT_FOUND', { path: shown })
      const file = this.fileOfEntry(directory.slot.number, entry)
      if (file.slot.type !== 'symlink' || (names.length === 0 && !follow)) {
        stack.push(file)
        continue
      }
      if (++links > LINKS_MAX) throw new Hn4Error('LINK_LOOP', { path: shown })
      const target = readSymlink(this.core, file.slot)
      if (target[0] === SLASH) stack.length = 1
      names.unshift(...splitPath(target))
    }
    return stack.at(-1)!
  }

  blocks(file: Located): FileBlocks {
    return new FileBlocks(this.core, file.slot, () => this.overwrites)
  }

  content(file: Located): FileContent {
    return new FileContent(this.blocks(file))
  }

  directory(file: Located): DirectoryReader {
    return new DirectoryReader(this.core, this.blocks(file))
  }

  /** Entries in the order of the hash. Without `onDamage` the first damage is thrown. */
  readDirectory(file: Located, onDamage?: OnDamage): Generator<DirEntry> {
    if (file.slot.type !== 'directory') throw new Hn4Error('NOT_DIRECTORY', { number: file.slot.number })
    return this.directory(file).entries(onDamage)
  }

  /** Block `index` of a regular file, zeros for a hole; of a directory, its raw block. @throws Hn4Error */
  readBlock(file: Located, index: number): Uint8Array {
    return file.slot.type === 'directory' ? this.blocks(file).read(index) : this.content(file).block(index)
  }

  /** The content of a regular file, at most 1 MiB at a time. @throws Hn4Error at the first block that is not whole */
  readFile(file: Located): Generator<Uint8Array> {
    if (file.slot.type === 'directory') throw new Hn4Error('IS_DIRECTORY', { number: file.slot.number })
    if (file.slot.type !== 'regular')
      throw new Hn4Error('NO_CONTENT', { type: file.slot.type ?? 'file of unknown type', number: file.slot.number })
    return this.content(file).chunks()
  }

  readlink(file: Located): Uint8Array {
    if (file.slot.type !== 'symlink') throw new Hn4Error('NOT_LINK', { number: file.slot.number })
    return readSymlink(this.core, file.slot)
  }

  xattrs(file: Located): Xattr[] {
    return readFileXattrs(this.core, file.slot)
  }

  /** Every file below `start`, parents before children. Damage is an item, not an exception. */
  *walk(start: Located = this.root(), path = '/'): Generator<WalkItem> {
    const seen = new Set<number>([start.slot.number])
    const open = [{ file: start, path }]
    for (;;) {
      const next = open.pop()
      if (!next) return
      const errors: Hn4Error[] = []
      const below: { file: Located; path: string }[] = []
      for (const entry of this.#entriesOf(next.file, errors)) {
        const shown = `${next.path === '/' ? '' : next.path}/${printableBytes(entry.name)}`
        const item = this.#itemOf(next.file, entry, shown, seen)
        yield item
        if (item.error === null && item.file?.slot.type === 'directory') below.push({ file: item.file, path: shown })
      }
      const directory = next.file.slot.number
      for (const error of errors) yield { path: next.path, name: new Uint8Array(0), directory, file: null, error }
      for (const found of below.reverse()) open.push(found)
    }
  }

  *#entriesOf(directory: Located, errors: Hn4Error[]): Generator<DirEntry> {
    try {
      yield* this.directory(directory).entries(error => errors.push(error))
    } catch (error) {
      if (!(error instanceof Hn4Error)) throw error
      errors.push(error)
    }
  }

  #itemOf(directory: Located, entry: DirEntry, path: string, seen: Set<number>): WalkItem {
    try {
      const file = this.fileOfEntry(directory.slot.number, entry)
      if (file.slot.type === 'directory') {
        if (seen.has(file.slot.number)) {
          throw new Hn4Error('ENTRY', {
            number: directory.slot.number,
            name: printableBytes(entry.name),
            cause: 'a directory that has another entry',
          })
        }
        seen.add(file.slot.number)
      }
      return { path, name: entry.name, directory: directory.slot.number, file, error: null }
    } catch (error) {
      if (!isDamage(error) && !(error instanceof Hn4Error)) throw error
      return { path, name: entry.name, directory: directory.slot.number, file: null, error }
    }
  }
}
