/** An opened volume below the level of files: geometry, pages after replay, descriptors, blocks. */
import { Hn4Error, isDamage, type OnMissing } from '../base/error.ts'
import { type BlockNumber, type DataNumber, dataNumber } from '../base/units.ts'
import type { BlockSource } from '../device/image.ts'
import type { CodecMaker } from '../format/block-codec.ts'
import { TXN_END } from '../format/checkpoint.ts'
import { constant, flagNames } from '../format/constants.ts'
import { type DescriptorFields, descriptorPage, readDescriptor } from '../format/descriptor.ts'
import {
  blockOfData,
  copyPages,
  dataBlocks,
  type Geometry,
  phi,
  type RegionName,
  regionStart,
} from '../format/geometry.ts'
import { bitOf } from '../format/page.ts'
import { type SipKey, sipKey } from '../format/siphash.ts'
import type { StateLimits } from '../format/slot-state.ts'
import type { Window } from '../format/trajectory.ts'
import { BlockReader } from './blocks.ts'
import { type Log, LogReader, type Transaction } from './log.ts'
import { Overlay } from './overlay.ts'
import { type CopyName, PageStore } from './pages.ts'
import { type FailedBlock, refutation } from './proof.ts'
import { readSuperblocks, type Superblocks } from './superblocks.ts'

/** A last transaction that was not proven: it does not exist. */
export interface DroppedTransaction {
  readonly transaction: Transaction
  readonly failed: readonly FailedBlock[]
}

/** The volume's counters after its last transaction. */
export interface Counters {
  readonly nextNumber: bigint
  readonly liveBlocks: bigint
  readonly files: bigint
  readonly units: bigint
}

const BITS = constant('MAP_BITS_PER_PAGE')
const BAD_COPIES_MAX = 100

export class Core {
  readonly source: BlockSource
  readonly superblocks: Superblocks
  readonly geometry: Geometry
  readonly key: SipKey
  readonly salt: Uint8Array
  readonly window: Window
  readonly limits: StateLimits
  readonly log: Log
  /** Transactions that were replayed. */
  readonly transactions: readonly Transaction[]
  readonly dropped: DroppedTransaction | null
  readonly pages: PageStore
  readonly blocks: BlockReader
  readonly #isLogWhole: boolean
  /** What was missing when the volume was opened; named by their message. */
  readonly missing: readonly Hn4Error[]
  /** Copies of blocks that were not good while another one was: the first of them, by their message. */
  readonly badCopies = new Map<string, Hn4Error>()

  /** Whether the volume was closed by its last writer: nothing to replay. */
  get isClean(): boolean {
    return flagNames('CHECKPOINT', BigInt(this.log.checkpoint.flags)).includes('CLEAN')
  }

  /**
   * Reads superblocks and log and replays it into memory. `codec`: for volumes whose descriptors are not plain.
   * `onMissing` gets damage that is in the way (docs/format.md, "What is left of a damaged volume"); without it, it
   * is thrown. @throws Hn4Error
   */
  constructor(source: BlockSource, codec?: CodecMaker, onMissing?: OnMissing) {
    this.source = source
    const missing: Hn4Error[] = []
    const pass: OnMissing = error => {
      if (onMissing === undefined) throw error
      missing.push(error)
      onMissing(error)
    }
    this.missing = missing
    this.superblocks = readSuperblocks(source, codec, pass)
    this.geometry = this.superblocks.geometry
    this.key = sipKey(this.superblocks.chosen.hash_key)
    this.salt = this.superblocks.chosen.salt
    const clusters = new Map<number, number>()
    const phiOf = (scale: number): number => {
      let found = clusters.get(scale)
      if (found === undefined) {
        found = phi(this.geometry, scale)
        clusters.set(scale, found)
      }
      return found
    }
    this.window = { start: this.geometry.windowStart, phi: phiOf }
    this.limits = {
      geometry: this.geometry,
      phi: phiOf,
      units: this.geometry.pages.EXTENSION * constant('UNITS_PER_PAGE'),
      dataBlocks: dataBlocks(this.geometry),
    }
    const before = missing.length
    this.log = new LogReader(source, this.geometry, this.salt, pass).read()
    const { unreadableBlocks } = this.log
    this.#isLogWhole = missing.length === before && (onMissing === undefined || unreadableBlocks === 0)
    const { transactions, checkpoint } = this.log
    const last = transactions.at(-1)
    this.blocks = new BlockReader(source, this.superblocks.codec)
    const failed = last ? refutation(this.blocks, this.geometry, checkpoint, last) : []
    this.dropped = last && failed.length > 0 ? { transaction: last, failed } : null
    this.transactions = this.dropped ? transactions.slice(0, -1) : transactions
    this.pages = new PageStore(
      source,
      this.geometry,
      this.salt,
      new Overlay(this.geometry, this.transactions),
      this.lastTxn,
    )
    if (onMissing !== undefined) this.#passOver(pass)
  }

  /** Names what is missing and only shows later, of the log and of the initialised map. */
  #passOver(pass: OnMissing): void {
    const { unreadableBlocks } = this.log
    if (unreadableBlocks > 0)
      pass(
        new Hn4Error('DAMAGED', {
          path: this.source.path,
          text: `log: ${unreadableBlocks} blocks cannot be read: what the last moments wrote may be missing`,
        }),
      )
    for (const error of this.pages.doWithoutInit()) pass(error)
  }

  /** Whether the log can be read to its end: else nobody knows which transaction was its last. */
  get isLogWhole(): boolean {
    return this.#isLogWhole
  }

  /** The last transaction that exists; if the log is not whole, the last that there can be. */
  get lastTxn(): bigint {
    if (!this.isLogWhole) return TXN_END - 1n
    const { tail_txn, proven_txn } = this.log.checkpoint
    const before = tail_txn - 1n
    return this.transactions.at(-1)?.fields.txn ?? (before > proven_txn ? before : proven_txn)
  }

  get counters(): Counters {
    const from = this.transactions.at(-1)?.fields ?? this.log.checkpoint
    return { nextNumber: from.next_number, liveBlocks: from.live_blocks, files: from.files, units: from.units }
  }

  /** Keeps the error of a copy of a block that was passed over for a good one. */
  noteBadCopy(error: Hn4Error): void {
    if (this.badCopies.size < BAD_COPIES_MAX) this.badCopies.set(error.message, error)
  }

  get dataBlocks(): number {
    return dataBlocks(this.geometry)
  }

  /** True if the free map says that the data block is in use. @throws Hn4Error PAGE */
  isLive(data: number): boolean {
    return bitOf(this.pages.load('FREE', Math.floor(data / BITS)).payload, data % BITS)
  }

  /** The descriptor of a data block; live or not. @throws Hn4Error PAGE */
  descriptor(data: number): DescriptorFields {
    return readDescriptor(
      this.geometry,
      this.pages.load('DESCRIPTOR', descriptorPage(this.geometry, data)).payload,
      data,
    )
  }

  /** The same as copy `copy` of its page says. */
  descriptorFrom(copy: CopyName, data: number): DescriptorFields {
    const page = this.pages.loadFrom(copy, 'DESCRIPTOR', descriptorPage(this.geometry, data))
    return readDescriptor(this.geometry, page.payload, data)
  }

  /** The last transaction that changed the page of a block's descriptor, by both copies or by one. */
  descriptorTxn(data: number, copy?: CopyName): bigint {
    const page = descriptorPage(this.geometry, data)
    return (copy ? this.pages.loadFrom(copy, 'DESCRIPTOR', page) : this.pages.load('DESCRIPTOR', page)).txn
  }

  block(data: DataNumber): BlockNumber {
    return blockOfData(this.geometry, data)
  }

  /** Data number of a block of window or area. */
  data(block: BlockNumber): DataNumber {
    return dataNumber(block - this.geometry.windowStart)
  }

  /** Live data blocks from `from` on, below `to`. Pages that cannot be read are given to `onDamage` and left out. */
  *liveBlocks(from: number, to: number, onDamage: (error: unknown) => void): Generator<DataNumber> {
    for (const bit of this.#setBits('FREE', from, to, onDamage)) yield dataNumber(bit)
  }

  /** Extension units in use, as the unit map says. */
  *usedUnits(onDamage: (error: unknown) => void): Generator<number> {
    yield* this.#setBits('UNIT', 0, this.geometry.pages.UNIT * BITS, onDamage)
  }

  /** The set bits [from, to) of a map region; zero bytes cost next to nothing. */
  *#setBits(
    region: 'INIT' | 'FREE' | 'UNIT',
    from: number,
    to: number,
    onDamage: (error: unknown) => void,
  ): Generator<number> {
    for (let page = Math.floor(from / BITS); page * BITS < to; page++) {
      let payload: Uint8Array
      try {
        payload = this.pages.load(region, page).payload
      } catch (error) {
        if (!isDamage(error)) throw error
        onDamage(error)
        continue
      }
      const end = Math.min(to - page * BITS, BITS)
      let bit = Math.max(from - page * BITS, 0)
      while (bit < end) {
        if ((bit & 7) === 0 && payload[bit >> 3] === 0) bit += 8
        else {
          if (bitOf(payload, bit)) yield page * BITS + bit
          bit++
        }
      }
    }
  }

  /** Pages of a region that were ever written. Pages of the map that cannot be read are given to `onDamage`. */
  *initialisedPages(region: RegionName, onDamage: (error: unknown) => void): Generator<number> {
    const start = regionStart(this.geometry, region)
    const end = start + this.geometry.pages[region]
    if (region === 'INIT') {
      for (let page = 0; page < end; page++) yield page
      return
    }
    for (const bit of this.#setBits('INIT', start, end, onDamage)) yield bit - start
  }

  get copyPages(): number {
    return copyPages(this.geometry)
  }
}
