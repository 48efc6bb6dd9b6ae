/**
 * Reads the log (docs/format.md section 7): the checkpoint in force and the transactions to replay.
 * Replay itself is overlay.ts; the proof of the last transaction is proof.ts. Nothing is written.
 */
import { Hn4Error, type OnMissing, reasonOf, refuse } from '../base/error.ts'
import { type BlockNumber, blockNumber } from '../base/units.ts'
import type { BlockSource } from '../device/image.ts'
import { type CheckpointFields, checkpointProblem, decodeCheckpoint, TXN_END } from '../format/checkpoint.ts'
import { constant, flag } from '../format/constants.ts'
import { checkpointPlaces, type Geometry, ringBlocks } from '../format/geometry.ts'
import { BLOCK_SIZE } from '../format/layout.ts'
import type { LogItem } from '../format/log-item.ts'
import { decodeRecord, looksLikeRecord, type RecordFields, RecordSum, readRecordHeader } from '../format/record.ts'

/** One of the four checkpoint places. */
export interface CheckpointCopy {
  /** 0 or 1. */
  readonly slot: number
  readonly place: 'head' | 'tail'
  readonly block: BlockNumber
  readonly problem: string | null
  readonly fields: CheckpointFields | null
}

export interface Transaction {
  readonly fields: RecordFields
  /** Log block of its first block. */
  readonly at: number
  readonly items: readonly LogItem[]
}

export interface Log {
  readonly checkpoints: readonly CheckpointCopy[]
  readonly checkpoint: CheckpointFields
  /** In their order; the last may still have to be proven. */
  readonly transactions: readonly Transaction[]
  /** Blocks of the ring that could not be read: they count as zeros. */
  readonly unreadableBlocks: number
}

/** Blocks read at once while the ring is searched. */
const SCAN_BLOCKS = 256
/** A search sums at most this many blocks per block of the ring: a forged log must not cost its square. */
const SCAN_EFFORT = 4

/** As no writer makes it: every page and descriptor is older than its transaction. */
const NO_CHECKPOINT: CheckpointFields = {
  magic: constant('CHECKPOINT_MAGIC'),
  salt: new Uint8Array(16),
  flags: flag('CHECKPOINT', 'CLEAN'),
  generation: 0n,
  epoch: 1n,
  epoch_txn: 2n,
  tail: 0n,
  tail_txn: TXN_END - 1n,
  tail_crc: 0,
  proven_txn: TXN_END - 2n,
  next_number: 0n,
  live_blocks: 0n,
  files: 0n,
  units: 0n,
  tail_epoch: 1n,
  crc: 0,
}

export class LogReader {
  readonly #source: BlockSource
  readonly #geometry: Geometry
  readonly #salt: Uint8Array
  readonly #ring: number
  readonly #onMissing: OnMissing
  readonly #unreadable = new Set<number>()

  /** `onMissing` gets CHECKPOINT, LOG_DAMAGED and DAMAGED: then nothing is replayed, or what is before the damage. */
  constructor(source: BlockSource, g: Geometry, salt: Uint8Array, onMissing: OnMissing = refuse) {
    this.#source = source
    this.#onMissing = onMissing
    this.#geometry = g
    this.#salt = salt
    this.#ring = ringBlocks(g)
  }

  /** @throws Hn4Error CHECKPOINT, LOG_DAMAGED, LOG_ITEM, IO */
  read(): Log {
    const checkpoints = this.checkpoints()
    const checkpoint = checkpointInForce(checkpoints) ?? this.#noCheckpoint()
    const isClean = (checkpoint.flags & flag('CHECKPOINT', 'CLEAN')) !== 0
    const transactions = isClean ? [] : this.#follow(checkpoint)
    if (isClean)
      this.#refuseLater(checkpoint, checkpoint.tail_txn, Number(checkpoint.tail), [Number(checkpoint.tail), 1])
    return { checkpoints, checkpoint, transactions, unreadableBlocks: this.#unreadable.size }
  }

  /** In place of a checkpoint block where none is left: nothing is replayed. */
  #noCheckpoint(): CheckpointFields {
    this.#onMissing(new Hn4Error('CHECKPOINT', { path: this.#source.path }))
    return NO_CHECKPOINT
  }

  checkpoints(): CheckpointCopy[] {
    return [0, 1].flatMap(slot =>
      checkpointPlaces(this.#geometry, slot).map((block, i) => {
        const place = i === 0 ? ('head' as const) : ('tail' as const)
        try {
          const bytes = this.#source.read(block)
          const problem = checkpointProblem(bytes, slot, this.#salt, this.#geometry)
          return { slot, place, block, problem, fields: problem === null ? decodeCheckpoint(bytes) : null }
        } catch (error) {
          return { slot, place, block, problem: reasonOf(error), fields: null }
        }
      }),
    )
  }

  #follow(checkpoint: CheckpointFields): Transaction[] {
    const found: Transaction[] = []
    let at = Number(checkpoint.tail)
    let txn = checkpoint.tail_txn
    let previous = checkpoint.tail_crc
    let used = 0
    for (;;) {
      const transaction = this.#recordAt(at, txn, epochOf(checkpoint, txn), previous, this.#ring - used - 1)
      if (transaction === null) break
      found.push(transaction)
      used += transaction.fields.blocks
      at = (at + transaction.fields.blocks) % this.#ring
      previous = transaction.fields.crc
      txn++
    }
    if (txn <= checkpoint.proven_txn) {
      this.#onMissing(
        new Hn4Error('DAMAGED', {
          path: this.#source.path,
          text: `log: the record of transaction ${txn} is damaged, though it was proven`,
        }),
      )
      return found
    }
    this.#refuseLater(checkpoint, txn, at, [0, this.#ring])
    return found
  }

  /** Log blocks [at, at + count), around the end of the ring. A block that cannot be read counts as zeros. */
  #readRing(at: number, count: number): Uint8Array {
    const head = Math.min(count, this.#ring - at)
    const first = this.#readStraight(at, head)
    if (head === count) return first
    const bytes = new Uint8Array(count * BLOCK_SIZE)
    bytes.set(first)
    bytes.set(this.#readStraight(0, count - head), first.length)
    return bytes
  }

  #readStraight(at: number, count: number): Uint8Array {
    const start = blockNumber(this.#geometry.logStart + constant('CHECKPOINT_SLOTS') + at)
    try {
      return this.#source.read(start, count)
    } catch (error) {
      if (!(error instanceof Hn4Error) || error.class !== 'io') throw error
      if (count === 1) {
        this.#unreadable.add(at)
        return new Uint8Array(BLOCK_SIZE)
      }
      return new Uint8Array(Buffer.concat(Array.from({ length: count }, (_, i) => this.#readStraight(at + i, 1))))
    }
  }

  /** The record of transaction `txn` at `at`, or null: it breaks a rule, so it does not exist. */
  #recordAt(at: number, txn: bigint, epoch: bigint, previous: number, room: number): Transaction | null {
    const header = readRecordHeader(this.#readRing(at, 1), this.#salt, this.#geometry)
    if (
      header === null ||
      header.blocks > room ||
      header.txn !== txn ||
      header.epoch !== epoch ||
      header.previous_crc !== previous
    )
      return null
    const items = decodeRecord(header, this.#readRing(at, header.blocks), this.#geometry)
    return typeof items === 'string' ? null : { fields: header, at, items }
  }

  /** A later record in `blocks` of the ring ([first, count]) means that the one of `txn` was there and is damaged. */
  #refuseLater(checkpoint: CheckpointFields, txn: bigint, at: number, blocks: readonly [number, number]): void {
    let effort = this.#ring * SCAN_EFFORT
    const end = blocks[0] + blocks[1]
    for (let chunk = blocks[0]; chunk < end; chunk += SCAN_BLOCKS) {
      const count = Math.min(SCAN_BLOCKS, end - chunk)
      const bytes = this.#readRing(chunk, count)
      for (let i = 0; i < count; i++) {
        const block = bytes.subarray(i * BLOCK_SIZE, (i + 1) * BLOCK_SIZE)
        if (!looksLikeRecord(block, this.#salt)) continue
        const header = readRecordHeader(block, this.#salt, this.#geometry)
        if (header === null || header.txn < txn || header.epoch < checkpoint.epoch) continue
        effort -= header.blocks
        if (effort >= 0 && !this.#sumHolds(chunk + i, header)) continue
        const later = { later: header.txn, laterAt: chunk + i }
        this.#onMissing(new Hn4Error('LOG_DAMAGED', { path: this.#source.path, txn, at, ...later }))
        return
      }
    }
  }

  #sumHolds(at: number, header: RecordFields): boolean {
    const sum = new RecordSum()
    for (let done = 0; done < header.blocks; done += SCAN_BLOCKS) {
      sum.add(this.#readRing((at + done) % this.#ring, Math.min(SCAN_BLOCKS, header.blocks - done)))
    }
    return sum.value === header.crc
  }
}

/** The epoch that a record of `txn` must carry. */
function epochOf(checkpoint: CheckpointFields, txn: bigint): bigint {
  return txn < checkpoint.epoch_txn ? checkpoint.tail_epoch : checkpoint.epoch
}

/** The valid one of highest generation; null if none is valid. */
export function checkpointInForce(copies: readonly CheckpointCopy[]): CheckpointFields | null {
  let best: CheckpointFields | null = null
  for (const { fields } of copies) if (fields && (best === null || fields.generation > best.generation)) best = fields
  return best
}
