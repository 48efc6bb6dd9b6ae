/** An image in memory: only blocks that were written take room. Tests damage it block by block. */
import { writeFileSync } from 'node:fs'
import { Hn4Error } from '../../src/base/error.ts'
import type { BlockNumber } from '../../src/base/units.ts'
import type { BlockSource } from '../../src/device/image.ts'
import { BLOCK_SIZE } from '../../src/format/layout.ts'
import type { BlockSink } from '../../src/writer/sink.ts'

export class MemoryImage implements BlockSource, BlockSink {
  readonly path = 'memory'
  readonly blockCount: number
  readonly #blocks = new Map<number, Uint8Array>()
  /** Blocks whose read fails, as a bad sector does. */
  readonly bad = new Set<number>()
  /** What stands in blocks that were never written. */
  readonly #filler: number

  constructor(blockCount: number, filler = 0) {
    this.blockCount = blockCount
    this.#filler = filler
  }

  read(block: BlockNumber, count = 1): Uint8Array {
    if (block < 0 || block + count > this.blockCount) throw new Hn4Error('IO', { path: this.path, block })
    const bytes = new Uint8Array(count * BLOCK_SIZE)
    for (let i = 0; i < count; i++) {
      if (this.bad.has(block + i)) throw new Hn4Error('IO', { path: this.path, block: block + i })
      bytes.set(this.block(block + i), i * BLOCK_SIZE)
    }
    return bytes
  }

  write(block: BlockNumber, bytes: Uint8Array): void {
    for (let i = 0; i * BLOCK_SIZE < bytes.length; i++) {
      this.#blocks.set(block + i, bytes.slice(i * BLOCK_SIZE, (i + 1) * BLOCK_SIZE))
    }
  }

  /** The bytes of one block; changing them changes the image only if the block was written. */
  block(block: number): Uint8Array {
    return this.#blocks.get(block) ?? new Uint8Array(BLOCK_SIZE).fill(this.#filler)
  }

  /** Flips one bit of a block. */
  flip(block: number, bit: number): void {
    const bytes = this.block(block).slice()
    bytes[bit >> 3]! ^= 1 << (bit & 7)
    this.#blocks.set(block, bytes)
  }

  zero(block: number): void {
    this.#blocks.set(block, new Uint8Array(BLOCK_SIZE))
  }

  flush(): void {}
  close(): void {}

  /** The blocks that were written, in order. */
  get written(): number[] {
    return [...this.#blocks.keys()].sort((a, b) => a - b)
  }

  copy(): MemoryImage {
    const other = new MemoryImage(this.blockCount, this.#filler)
    for (const [block, bytes] of this.#blocks) other.#blocks.set(block, bytes.slice())
    return other
  }

  /** Saves the image as a file. */
  save(path: string): void {
    const all = new Uint8Array(this.blockCount * BLOCK_SIZE)
    if (this.#filler !== 0) all.fill(this.#filler)
    for (const [block, bytes] of this.#blocks) all.set(bytes, block * BLOCK_SIZE)
    writeFileSync(path, all)
  }
}
