/** Appends records to the log of a volume and writes its checkpoint blocks (docs/format.md section 7). */
import { blockNumber } from '../base/units.ts'
import { offsetOf } from '../format/codec.ts'
import { constant, flag } from '../format/constants.ts'
import type { CounterFields } from '../format/counters.ts'
import { type Geometry, ringBlocks } from '../format/geometry.ts'
import { BLOCK_SIZE, LOG_RECORD } from '../format/layout.ts'
import type { LogItem } from '../format/log-item.ts'
import { encodeRecord } from '../format/record.ts'
import { checkpointWrites } from './pages.ts'
import { type BlockSink, writeAll } from './sink.ts'

/** A place in the log, with what the record there continues. */
interface LogPoint {
  /** Log block: 0 is the first of the ring. */
  readonly at: number
  /** Transaction of the record there. */
  readonly txn: bigint
  /** Checksum of the record before it. */
  readonly previousCrc: number
  /** Counters before it. */
  readonly counters: CounterFields
}

export interface LogStart extends LogPoint {
  /** One more than that of the writer before. */
  readonly epoch: bigint
  /** Of the checkpoint in force. */
  readonly generation: bigint
}

/** Nothing here flushes: what must be durable before what is the caller's business. */
export class LogWriter {
  readonly #sink: BlockSink
  readonly #geometry: Geometry
  readonly #salt: Uint8Array
  readonly #epoch: bigint
  readonly #epochTxn: bigint
  #generation: bigint
  #tail: LogPoint
  #head: LogPoint

  /** The log is empty from `start` on; call `checkpoint` before the first `append`, so that the epoch stands on disk. */
  constructor(sink: BlockSink, g: Geometry, salt: Uint8Array, start: LogStart) {
    this.#sink = sink
    this.#geometry = g
    this.#salt = salt
    this.#epoch = start.epoch
    this.#epochTxn = start.txn
    this.#generation = start.generation
    this.#tail = start
    this.#head = start
  }

  /** The transaction that `append` writes next. */
  get txn(): bigint {
    return this.#head.txn
  }

  /**
   * Writes one record with `items`, and returns its transaction. `counters` are those after it.
   * @throws RangeError for a record that the log cannot take
   */
  append(items: readonly LogItem[], counters: CounterFields, timeNs: bigint): bigint {
    const { at, txn, previousCrc } = this.#head
    const header = { epoch: this.#epoch, txn, salt: this.#salt, time: timeNs, ...counters, previous_crc: previousCrc }
    const record = encodeRecord(header, items)
    const blocks = record.length / BLOCK_SIZE
    const ring = ringBlocks(this.#geometry)
    const used = (at - this.#tail.at + ring) % ring
    if (blocks > Math.floor(ring / 4) || used + blocks >= ring)
      throw new RangeError(`log: no room for ${blocks} blocks`)
    this.#writeRing(at, record)
    const crc = new DataView(record.buffer).getUint32(offsetOf(LOG_RECORD, 'crc'), true)
    this.#head = { at: (at + blocks) % ring, txn: txn + 1n, previousCrc: crc, counters }
    return txn
  }

  /** From now on replay starts behind the last record: the pages say what the log said. Takes effect with `checkpoint`. */
  moveTail(): void {
    this.#tail = this.#head
  }

  /** Writes a checkpoint block. `proven`: every transaction up to it is; `isClean`: nothing is to be replayed. */
  checkpoint(proven = this.#head.txn - 1n, isClean = false): void {
    const { at, txn, previousCrc, counters } = this.#tail
    const writes = checkpointWrites(this.#geometry, {
      flags: isClean ? flag('CHECKPOINT', 'CLEAN') : 0,
      generation: ++this.#generation,
      salt: this.#salt,
      epoch: this.#epoch,
      epoch_txn: this.#epochTxn,
      tail: BigInt(at),
      tail_txn: txn,
      tail_crc: previousCrc,
      proven_txn: proven,
      ...counters,
      tail_epoch: this.#epoch,
    })
    writeAll(this.#sink, writes)
  }

  /** Writes log blocks from `at` on, around the end of the ring. */
  #writeRing(at: number, bytes: Uint8Array): void {
    const start = this.#geometry.logStart + constant('CHECKPOINT_SLOTS')
    const straight = (ringBlocks(this.#geometry) - at) * BLOCK_SIZE
    this.#sink.write(blockNumber(start + at), bytes.subarray(0, straight))
    if (straight < bytes.length) this.#sink.write(blockNumber(start), bytes.subarray(straight))
  }
}
