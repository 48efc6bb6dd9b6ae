/** Blocks of files: stored through the codec, written, and described in the record to come. */
import type { DataNumber } from '../base/units.ts'
import type { BlockCodec } from '../format/block-codec.ts'
import { flag } from '../format/constants.ts'
import { blockOfData, type Geometry } from '../format/geometry.ts'
import { BLOCK_SIZE } from '../format/layout.ts'
import type { RecordDraft } from './record-draft.ts'
import type { BlockSink } from './sink.ts'

/** Whose block it is, and which. */
export interface BlockKey {
  readonly owner: bigint
  /** The owner's placement hint. */
  readonly hint: number
  /** Logical index. */
  readonly index: number
  readonly copy: number
  /** A directory block or presence node. */
  readonly isMeta: boolean
}

const UNWRITTEN = flag('DESCRIPTOR', 'UNWRITTEN')
const META = flag('DESCRIPTOR', 'META')

export class BlockWriter {
  readonly #sink: BlockSink
  readonly #geometry: Geometry
  readonly #codec: BlockCodec
  readonly #draft: RecordDraft

  constructor(sink: BlockSink, g: Geometry, codec: BlockCodec, draft: RecordDraft) {
    this.#sink = sink
    this.#geometry = g
    this.#codec = codec
    this.#draft = draft
  }

  /** Data block `data`, free before, gets `plain` (4096 bytes); null: it is preallocated and not written. */
  write({ copy, isMeta, ...key }: BlockKey, data: DataNumber, plain: Uint8Array | null): void {
    const flags = copy | (isMeta ? META : 0)
    if (plain === null) {
      this.#draft.block({ ...key, flags: flags | UNWRITTEN, stored: 0 }, data, null)
      return
    }
    const place = { ...key, flags, stored: BLOCK_SIZE }
    const { stored, stamp } = this.#codec.store(place, this.#codec.draw(), plain)
    this.#sink.write(blockOfData(this.#geometry, data), stored)
    this.#draft.block(place, data, stamp)
  }
}
