/** Reads a directory: one leaf for a name, all leaves in the order of the hash for a listing (docs/format.md section 5). */
import { equalBytes } from '../base/bytes.ts'
import { Hn4Error, isDamage } from '../base/error.ts'
import { constant } from '../format/constants.ts'
import { type DirEntry, type IndexBlock, type Leaf, nameHash, readDirBlock, topBits } from '../format/directory.ts'
import { type DirState, fileType } from '../format/slot.ts'
import type { Core } from './core.ts'
import type { FileBlocks } from './file-blocks.ts'

/** File numbers are below this. */
const NUMBER_END = 2n ** 53n
const PER_INDEX = constant('DIR_INDEX_ENTRIES')

/** Called with damage that was met; what it hides is left out. */
export type OnDamage = (error: Hn4Error) => void

export class DirectoryReader {
  readonly #core: Core
  readonly #blocks: FileBlocks
  readonly #state: DirState
  readonly #blockCount: number
  /** Index blocks by ordinal, as far as the chain was followed. */
  readonly #index: { block: number; content: IndexBlock }[] = []

  constructor(core: Core, blocks: FileBlocks) {
    this.#core = core
    this.#blocks = blocks
    this.#state = blocks.slot.dirState()
    this.#blockCount = blocks.slot.contentBlocks
  }

  get number(): number {
    return this.#blocks.slot.number
  }

  #wrong(index: number, cause: string): Hn4Error {
    return new Hn4Error('DIRECTORY', { number: this.number, index, cause })
  }

  #read(index: number): Leaf | IndexBlock {
    if (index >= this.#blockCount) throw this.#wrong(index, `named, but the directory has ${this.#blockCount} blocks`)
    const block = readDirBlock(this.#blocks.read(index))
    if (typeof block === 'string') throw this.#wrong(index, block)
    return block
  }

  /** @throws Hn4Error DIRECTORY and the errors of reading a block */
  leaf(index: number): Leaf {
    const block = this.#read(index)
    if (block.kind !== 'leaf') throw this.#wrong(index, 'an index block in the place of a leaf')
    return block
  }

  /** The index block of ordinal `ordinal` and its block number. */
  indexBlock(ordinal: number): { block: number; content: IndexBlock } {
    while (this.#index.length <= ordinal) {
      const before = this.#index.at(-1)
      const block = before ? before.content.header.next : this.#state.index_first
      if (before && block === 0) throw this.#wrong(before.block, 'the chain of index blocks ends early')
      this.#index.push({ block, content: this.#readIndex(block, this.#index.length) })
    }
    return this.#index[ordinal]!
  }

  #readIndex(block: number, ordinal: number): IndexBlock {
    const content = this.#read(block)
    if (content.kind !== 'index') throw this.#wrong(block, 'a leaf in the place of an index block')
    if (content.header.ordinal !== ordinal)
      throw this.#wrong(block, `ordinal ${content.header.ordinal}, ${ordinal} expected`)
    const total = 2 ** this.#state.depth
    const expected = Math.min(PER_INDEX, total - ordinal * PER_INDEX)
    if (content.leaves.length !== expected)
      throw this.#wrong(block, `${content.leaves.length} leaf numbers, ${expected} expected`)
    const isLast = ordinal === this.#state.index_blocks - 1
    if (isLast !== (content.header.next === 0)) throw this.#wrong(block, 'the chain of index blocks has another length')
    return content
  }

  /** Entry `i` of the index: the block of the leaf for hashes with top bits `i`. */
  leafNumber(i: number): number {
    if (this.#state.depth === 0) return 0
    return this.indexBlock(Math.floor(i / PER_INDEX)).content.leaves[i % PER_INDEX]!
  }

  /** The leaf of index entry `i`, checked against its place in the index. */
  #leafAt(i: number): { leaf: Leaf; block: number } {
    const block = this.leafNumber(i)
    const leaf = this.leaf(block)
    const { depth, prefix } = leaf.header
    if (depth > this.#state.depth)
      throw this.#wrong(block, `a leaf of depth ${depth} under an index of depth ${this.#state.depth}`)
    if (topBits(prefix, depth) !== Math.floor(i / 2 ** (this.#state.depth - depth)))
      throw this.#wrong(block, `leaf of another prefix at index entry ${i}`)
    return { leaf, block }
  }

  /** The entry of a name; null if there is none. @throws Hn4Error DIRECTORY and the errors of reading a block */
  lookup(name: Uint8Array): DirEntry | null {
    if (this.#blockCount === 0) return null
    const hash = nameHash(this.#core.key, this.number, name)
    const { leaf } = this.#leafAt(topBits(hash, this.#state.depth))
    return leaf.entries.find(entry => equalBytes(entry.name, name)) ?? null
  }

  /** Every leaf once, in the order of the hash. Without `onDamage` the first damage is thrown. */
  *leaves(onDamage?: OnDamage): Generator<{ leaf: Leaf; block: number }> {
    if (this.#blockCount === 0) return
    const total = 2 ** this.#state.depth
    let i = 0
    let skipped = -1
    while (i < total) {
      try {
        const block = this.leafNumber(i)
        if (block === skipped) {
          i++
          continue
        }
        const found = this.#leafAt(i)
        const span = 2 ** (this.#state.depth - found.leaf.header.depth)
        for (let j = i + 1; j < i + span; j++) {
          if (this.leafNumber(j) !== block) throw this.#wrong(block, `index entry ${j} names another leaf`)
        }
        yield found
        i += span
      } catch (error) {
        if (!onDamage || !isDamage(error)) throw error
        onDamage(error)
        // An index block that cannot be read hides all its entries; a leaf only those that name it.
        const isIndex = !this.#isIndexRead(i)
        if (isIndex) return
        skipped = this.leafNumber(i)
        i++
      }
    }
  }

  #isIndexRead(i: number): boolean {
    return this.#state.depth === 0 || Math.floor(i / PER_INDEX) < this.#index.length
  }

  /** Every entry, in the order of its cookie. Without `onDamage` the first damage is thrown. */
  *entries(onDamage?: OnDamage): Generator<DirEntry> {
    for (const { leaf, block } of this.leaves(onDamage)) {
      for (const entry of leaf.entries) {
        const cause = this.#entryProblem(entry)
        if (cause === null) yield entry
        else if (onDamage) onDamage(this.#wrong(block, cause))
        else throw this.#wrong(block, cause)
      }
    }
  }

  #entryProblem(entry: DirEntry): string | null {
    const hash = nameHash(this.#core.key, this.number, entry.name)
    if (hash !== (entry.cookie - 64n) >> 6n) return 'an entry whose cookie is not the hash of its name'
    if (entry.number === 0n || entry.number >= NUMBER_END) return `an entry of file ${entry.number}`
    return fileType(entry.type) === null ? `an entry of type ${entry.type}` : null
  }
}
