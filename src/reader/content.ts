/** The content of a regular file: verified blocks, holes as zeros, in pieces of bounded size. */
import { BLOCK_SIZE } from '../format/layout.ts'
import { READ_BLOCKS } from './blocks.ts'
import type { FileBlocks } from './file-blocks.ts'
import { Presence } from './presence.ts'

export class FileContent {
  readonly #blocks: FileBlocks
  readonly #presence: Presence | null

  constructor(blocks: FileBlocks) {
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
    for (let first = 0; first < total; first += READ_BLOCKS) {
      const count = Math.min(READ_BLOCKS, total - first)
      const { bytes, error } = this.#batch(first, count)
      const left = size - BigInt(first) * BigInt(BLOCK_SIZE)
      if (bytes.length > 0) yield left < BigInt(bytes.length) ? bytes.subarray(0, Number(left)) : bytes
      if (error !== undefined) throw error
    }
  }

  /** The blocks of a batch in one buffer, up to the first that is not whole, and what is wrong with that. */
  #batch(first: number, count: number): { bytes: Uint8Array; error?: unknown } {
    const bytes = new Uint8Array(count * BLOCK_SIZE)
    const indices: number[] = []
    let i = 0
    try {
      for (let index = first; index < first + count; index++) if (this.exists(index)) indices.push(index)
      for (const content of this.#blocks.readAll(indices)) bytes.set(content, (indices[i++]! - first) * BLOCK_SIZE)
      return { bytes }
    } catch (error) {
      const good = indices[i]
      return { bytes: bytes.subarray(0, good === undefined ? 0 : (good - first) * BLOCK_SIZE), error }
    }
  }
}
