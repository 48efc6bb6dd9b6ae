/** The content of a regular file: verified blocks, holes as zeros, in pieces of bounded size. */
import { Hn4Error } from '../base/error.ts'
import { isUnwritten } from '../format/descriptor.ts'
import { BLOCK_SIZE } from '../format/layout.ts'
import type { Core } from './core.ts'
import type { FileBlocks, FoundBlock } from './file-blocks.ts'
import { Presence } from './presence.ts'

/** Blocks read ahead together: 1 MiB. */
const BATCH_BLOCKS = 256

export class FileContent {
  readonly #core: Core
  readonly #blocks: FileBlocks
  readonly #presence: Presence | null

  constructor(core: Core, blocks: FileBlocks) {
    this.#core = core
    this.#blocks = blocks
    this.#presence = blocks.slot.has('SPARSE') ? new Presence(blocks) : null
  }

  get presence(): Presence | null {
    return this.#presence
  }

  /** True if data block `index` exists; in a file without SPARSE, every block below its size. */
  exists(index: number): boolean {
    return this.#presence ? this.#presence.has(index) : index < this.#blocks.slot.contentBlocks
  }

  /** 4096 bytes of block `index`: its content, or zeros for a hole. @throws Hn4Error BLOCK_LOST, BLOCK_DATA, PAGE, IO */
  block(index: number): Uint8Array {
    const { slot } = this.#blocks
    if (slot.has('INLINE')) {
      const bytes = new Uint8Array(BLOCK_SIZE)
      if (index === 0) bytes.set(slot.anchor.inline_buffer.subarray(0, Number(slot.anchor.mass)))
      return bytes
    }
    return this.exists(index) ? this.#blocks.read(index) : new Uint8Array(BLOCK_SIZE)
  }

  /** The bytes of the file in order, at most 1 MiB at a time. @throws as block */
  *chunks(): Generator<Uint8Array> {
    const { slot } = this.#blocks
    const size = slot.anchor.mass
    if (slot.has('INLINE')) {
      yield slot.anchor.inline_buffer.subarray(0, Number(size))
      return
    }
    const total = slot.contentBlocks
    for (let first = 0; first < total; first += BATCH_BLOCKS) {
      const count = Math.min(BATCH_BLOCKS, total - first)
      const bytes = this.#batch(first, count)
      const left = size - BigInt(first) * BigInt(BLOCK_SIZE)
      yield left < BigInt(bytes.length) ? bytes.subarray(0, Number(left)) : bytes
    }
  }

  /** Finds all blocks of a batch, then reads neighbours on the device together. */
  #batch(first: number, count: number): Uint8Array {
    const bytes = new Uint8Array(count * BLOCK_SIZE)
    const found: FoundBlock[] = []
    for (let index = first; index < first + count; index++) {
      if (!this.exists(index)) continue
      const block = this.#blocks.find(index)
      if (block === null) throw new Hn4Error('BLOCK_LOST', { number: this.#blocks.slot.number, index })
      if (!isUnwritten(block.descriptor)) found.push(block)
    }
    for (let i = 0; i < found.length; ) {
      let end = i + 1
      while (end < found.length && found[end]!.block === found[end - 1]!.block + 1) end++
      const run = this.#core.source.read(found[i]!.block, end - i)
      for (let j = i; j < end; j++) {
        const block = found[j]!
        const content = this.#blocks.verified(block, run.subarray((j - i) * BLOCK_SIZE, (j - i + 1) * BLOCK_SIZE))
        bytes.set(content, (block.descriptor.index - first) * BLOCK_SIZE)
      }
      i = end
    }
    return bytes
  }
}
