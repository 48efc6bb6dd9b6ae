/** Reads data blocks through the volume's codec: for content, directories, presence, proof and scrub alike. */
import { Hn4Error } from '../base/error.ts'
import type { BlockNumber } from '../base/units.ts'
import type { BlockSource } from '../device/image.ts'
import type { BlockCodec } from '../format/block-codec.ts'
import { type BlockPlace, copyNumber, isUnwritten, type Stamp } from '../format/descriptor.ts'
import { BLOCK_SIZE } from '../format/layout.ts'

/** A block and what its descriptor says of it. */
export interface PlacedBlock {
  readonly block: BlockNumber
  readonly descriptor: BlockPlace & Stamp
}

/** A block with its plain bytes, or the error in their place: BLOCK_DATA, BLOCK_FORGED or IO. */
export type ReadBlock<B extends PlacedBlock> = readonly [block: B, content: Uint8Array | Hn4Error]

/** Most blocks read at once: 1 MiB. */
export const READ_BLOCKS = 256

export class BlockReader {
  readonly #source: BlockSource
  readonly #codec: BlockCodec

  constructor(source: BlockSource, codec: BlockCodec) {
    this.#source = source
    this.#codec = codec
  }

  /**
   * Every block, in order. Those that follow each other in the list and on the device are read together; an
   * UNWRITTEN block is zeros and not read.
   */
  *read<B extends PlacedBlock>(blocks: Iterable<B>): Generator<ReadBlock<B>> {
    let run: B[] = []
    for (const block of blocks) {
      const isWritten = !isUnwritten(block.descriptor)
      const before = run.at(-1)
      if (isWritten && before && before.block + 1 === block.block && run.length < READ_BLOCKS) {
        run.push(block)
        continue
      }
      yield* this.#run(run)
      run = isWritten ? [block] : []
      if (!isWritten) yield [block, new Uint8Array(BLOCK_SIZE)]
    }
    yield* this.#run(run)
  }

  /** Neighbours on the device; one that cannot be read does not hide the others. */
  *#run<B extends PlacedBlock>(run: readonly B[]): Generator<ReadBlock<B>> {
    const first = run[0]
    if (first === undefined) return
    const bytes = this.#stored(first.block, run.length)
    for (const [i, block] of run.entries()) {
      if (bytes instanceof Uint8Array) {
        yield [block, this.#load(block, bytes.subarray(i * BLOCK_SIZE, (i + 1) * BLOCK_SIZE))]
        continue
      }
      if (block.block >= this.#source.blockCount) {
        yield [block, this.#damaged('BLOCK_DATA', block, 'behind the end of the device')]
        continue
      }
      const alone = run.length === 1 ? bytes : this.#stored(block.block, 1)
      yield [block, alone instanceof Uint8Array ? this.#load(block, alone) : alone]
    }
  }

  #stored(block: BlockNumber, count: number): Uint8Array | Hn4Error {
    try {
      return this.#source.read(block, count)
    } catch (error) {
      if (error instanceof Hn4Error && error.class === 'io') return error
      throw error
    }
  }

  #load(placed: PlacedBlock, stored: Uint8Array): Uint8Array | Hn4Error {
    const { descriptor } = placed
    const loaded = this.#codec.load(descriptor, descriptor, stored)
    if (loaded instanceof Uint8Array) return loaded
    return this.#damaged(loaded.kind === 'forged' ? 'BLOCK_FORGED' : 'BLOCK_DATA', placed, loaded.cause)
  }

  #damaged(code: 'BLOCK_FORGED' | 'BLOCK_DATA', { block, descriptor: d }: PlacedBlock, why: string): Hn4Error {
    const cause = copyNumber(d) > 0 ? `${why}, second copy` : why
    return new Hn4Error(code, { number: d.owner, index: d.index, block, cause })
  }
}
