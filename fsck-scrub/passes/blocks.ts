/**
 * Pass: every block that the free map calls live has a legal descriptor, its owner's equation leads to
 * it and to no other, and (scrub) its bytes are those the descriptor sums. Counts each file's blocks:
 * what a file says it owns and does not is lost.
 */
import { Hn4Error } from '../../src/base/error.ts'
import type { BlockNumber, DataNumber } from '../../src/base/units.ts'
import { constant } from '../../src/format/constants.ts'
import {
  copyNumber,
  type DescriptorFields,
  descriptorProblem,
  isMeta,
  isUnwritten,
} from '../../src/format/descriptor.ts'
import { readDirBlock } from '../../src/format/directory.ts'
import { BLOCK_SIZE } from '../../src/format/layout.ts'
import { FILE_TYPES } from '../../src/format/slot.ts'
import { READ_BLOCKS } from '../../src/reader/blocks.ts'
import { findAnchor } from '../../src/reader/cortex.ts'
import type { FileBlocks } from '../../src/reader/file-blocks.ts'
import type { Check, Pass, Step } from '../check.ts'
import { byteRange, type Finding } from '../finding.ts'
import { findLost } from './lost-blocks.ts'

const DATA_INDICES = constant('PRESENCE_1')

interface LiveBlock {
  readonly data: DataNumber
  readonly block: BlockNumber
  readonly descriptor: DescriptorFields
}

class BlocksPass {
  readonly #check: Check
  readonly #step: Step
  readonly #withContent: boolean
  readonly #only: ReadonlySet<number> | null
  /** Neighbours whose content is still to be read. */
  #batch: LiveBlock[] = []

  constructor(check: Check, step: Step, withContent: boolean, only: ReadonlySet<number> | null) {
    this.#check = check
    this.#step = step
    this.#withContent = withContent
    this.#only = only
  }

  async run(): Promise<void> {
    const { core } = this.#check.volume
    for (const data of core.liveBlocks(0, core.dataBlocks, () => {
      this.#check.isCountable = false
    })) {
      if (this.#step.isDue) await this.#step.pause()
      this.#check.liveBlocks++
      const live = this.#live(data)
      if (live && (this.#only === null || this.#only.has(Number(live.descriptor.owner)))) this.#judge(live)
      this.#step.add(BLOCK_SIZE)
    }
    this.#readBatch()
    this.#behindTheEnd()
    await this.#findLost()
  }

  #behindTheEnd(): void {
    const { core } = this.#check.volume
    for (const data of core.liveBlocks(
      core.dataBlocks,
      core.geometry.pages.FREE * constant('MAP_BITS_PER_PAGE'),
      () => {},
    )) {
      this.#check.add('FREE_MAP', `free map: data block ${data} is marked, but there are only ${core.dataBlocks}`)
    }
  }

  #live(data: DataNumber): LiveBlock | null {
    const { core } = this.#check.volume
    try {
      return { data, block: core.block(data), descriptor: core.descriptor(data) }
    } catch (error) {
      // The page is a finding of the pages pass; its blocks show as lost blocks of their files.
      if (!(error instanceof Hn4Error) || error.code !== 'PAGE') throw error
      this.#check.isCountable = false
      return null
    }
  }

  #judge(live: LiveBlock): void {
    const { descriptor: d, block } = live
    const { core } = this.#check.volume
    const problem = descriptorProblem(d, core.lastTxn)
    if (problem !== null) {
      this.#check.add('DESCRIPTOR', `block ${block} of the volume: descriptor: ${problem}`, { block })
      return
    }
    const number = Number(d.owner)
    const record = this.#check.files.get(number)
    if (!record || record.hint !== d.hint) {
      if (this.#check.isAnchorLost || this.#check.damagedNumbers.has(d.owner)) return
      this.#check.add(
        'BLOCK_OWNER',
        `block ${block} of the volume: belongs to file ${number}, which does not exist${record ? ' with this hint' : ''}`,
        { block },
      )
      return
    }
    const blocks = this.#check.blocksOf(number, () => findAnchor(core, number, d.hint).slot)
    if (blocks === null || !this.#leadsHere(blocks, live)) return
    record.found++
    if (!this.#withContent || isUnwritten(d)) return
    const before = this.#batch.at(-1)
    if (before && (before.block + 1 !== block || this.#batch.length === READ_BLOCKS)) this.#readBatch()
    this.#batch.push(live)
  }

  /** The owner's equation leads to this block, and finds no other one first. */
  #leadsHere(blocks: FileBlocks, live: LiveBlock): boolean {
    const { descriptor: d, block, data } = live
    const where = (): Partial<Finding> => ({ ...this.#placeOf(d), block })
    try {
      const found = blocks.find(d.index, copyNumber(d))
      if (found?.data === data) return this.#fits(blocks, live)
      if (found === null)
        this.#check.add(
          'BLOCK_UNREACHABLE',
          `block ${block} of the volume: no equation of file ${d.owner} leads to it (block ${d.index})`,
          where(),
        )
      else
        this.#check.take(
          new Hn4Error('BLOCK_TWICE', { number: d.owner, index: d.index, block: found.block, other: block }),
          where(),
        )
    } catch (error) {
      this.#check.take(error, where())
    }
    return false
  }

  /** The kind of block fits the kind of file. */
  #fits(blocks: FileBlocks, { descriptor: d, block }: LiveBlock): boolean {
    const { slot } = blocks
    const isDirectory = slot.type === 'directory'
    const expectedMeta = isDirectory || d.index >= DATA_INDICES
    if (isMeta(d) !== expectedMeta) {
      this.#check.add(
        'DESCRIPTOR',
        `block ${block} of the volume: flag META is ${isMeta(d) ? 'set' : 'missing'} (block ${d.index} of a ${slot.type})`,
        { ...this.#placeOf(d), block },
      )
    }
    const isBeyond =
      d.index < DATA_INDICES &&
      d.index >= slot.contentBlocks &&
      !slot.has('SPARSE') &&
      !slot.has('TRUNCATING') &&
      !slot.has('TOMBSTONE')
    const isForeign = d.index >= DATA_INDICES && !slot.has('SPARSE')
    if (isBeyond || isForeign) {
      this.#check.add('BLOCK_BEYOND', `block ${block} of the volume: file ${d.owner} has no block ${d.index}`, {
        ...this.#placeOf(d),
        block,
      })
    }
    return true
  }

  #placeOf(d: DescriptorFields): Partial<Finding> {
    const place = this.#check.placeOf(Number(d.owner), d.hint)
    if (d.index >= DATA_INDICES || isMeta(d)) return place
    return { ...place, ...byteRange(d.index, 1, this.#check.files.get(Number(d.owner))?.size ?? 0n) }
  }

  #readBatch(): void {
    const batch = this.#batch
    this.#batch = []
    for (const [live, content] of this.#check.volume.core.blocks.read(batch)) {
      const problem = content instanceof Uint8Array ? this.#contentProblem(live, content) : content
      if (problem !== null) this.#check.take(problem, { ...this.#placeOf(live.descriptor), block: live.block })
    }
  }

  /** What is wrong with bytes that are those of their descriptor. */
  #contentProblem({ descriptor: d, block }: LiveBlock, content: Uint8Array): Hn4Error | null {
    if (this.#check.files.get(Number(d.owner))?.type !== FILE_TYPES.directory) return null
    const read = readDirBlock(content)
    if (typeof read !== 'string') return null
    return new Hn4Error('BLOCK_DATA', { number: d.owner, index: d.index, block, cause: read })
  }

  /** Files that own fewer blocks than they say: which ones are missing. */
  async #findLost(): Promise<void> {
    // All files together own at most the volume: what hostile anchors claim beyond it is not searched for.
    let searchable = this.#check.volume.core.dataBlocks
    for (const record of this.#check.files.values()) {
      if (this.#step.isDue) await this.#step.pause()
      if (this.#only !== null && !this.#only.has(record.number)) continue
      if (record.found === record.blocks) continue
      searchable -= record.blocks
      if (!(searchable >= 0 && findLost(this.#check, record)) && !record.isLeaving) {
        this.#check.add(
          'BLOCK_COUNT',
          `file ${record.number}: says it owns ${record.blocks} blocks, ${record.found} name it`,
          this.#check.placeOf(record.number, record.hint),
        )
      }
    }
  }
}

/** `withContent`: read and verify the bytes. `only`: these files alone. */
export function blocksPass(withContent: boolean, only: ReadonlySet<number> | null = null): Pass {
  return {
    name: withContent ? 'data' : 'blocks',
    unit: 'bytes',
    total: ({ volume }) => Number(volume.core.counters.liveBlocks) * BLOCK_SIZE,
    run: (check, step) => new BlocksPass(check, step, withContent, only).run(),
  }
}
