/**
 * The items of the log record to come (docs/format.md section 7). The draft counts what they change and
 * gives birth to pages that are written for the first time.
 */
import { type CopyPage, copyPage, type DataNumber } from '../base/units.ts'
import { constant } from '../format/constants.ts'
import { type BlockPlace, descriptorPage, type Stamp } from '../format/descriptor.ts'
import { packStamps } from '../format/descriptors-item.ts'
import { type Geometry, pageInCopy, type RegionName } from '../format/geometry.ts'
import type { LogItem } from '../format/log-item.ts'
import type { CortexSlot } from './slots.ts'

export class RecordDraft {
  readonly #geometry: Geometry
  readonly #initialised: Set<number>
  #births: LogItem[] = []
  #items: LogItem[] = []
  #liveBlocks: number
  #units: number

  /** `initialised`: pages of the copy that were ever written. The counters are those before the first item. */
  constructor(g: Geometry, initialised: Iterable<CopyPage>, counters = { liveBlocks: 0, units: 0 }) {
    this.#geometry = g
    this.#initialised = new Set(initialised)
    this.#liveBlocks = counters.liveBlocks
    this.#units = counters.units
  }

  /** Live blocks after the items so far. */
  get liveBlocks(): number {
    return this.#liveBlocks
  }

  /** Extension units in use after the items so far. */
  get units(): number {
    return this.#units
  }

  /** Pages of the copy that are initialised after the items so far. */
  get initialised(): CopyPage[] {
    return [...this.#initialised].map(copyPage)
  }

  /** Any item as it is, also an illegal one; nothing is counted. */
  add(item: LogItem): void {
    this.#items.push(item)
  }

  /** Data block `data` becomes live: what it is, and what its descriptor keeps of its content; null: UNWRITTEN. */
  block(place: BlockPlace, data: DataNumber, stamp: Stamp | null): void {
    this.#touch('DESCRIPTOR', descriptorPage(this.#geometry, data))
    this.#touchMap('FREE', data)
    const stamps = packStamps(this.#geometry, stamp === null ? [] : [stamp])
    this.add({ kind: 'DESCRIPTORS', data, count: 1, ...place, ...stamps })
    this.#liveBlocks++
  }

  /** Live data blocks [first, first + count) become free. */
  freeBlocks(first: DataNumber, count: number): void {
    this.add({ kind: 'BLOCKS_FREE', first, count })
    this.#liveBlocks -= count
  }

  /** Extension unit `unit`, free before, gets `bytes`. */
  unit(unit: number, bytes: Uint8Array): void {
    this.#touch('EXTENSION', Math.floor(unit / constant('UNITS_PER_PAGE')))
    this.#touchMap('UNIT', unit)
    this.add({ kind: 'UNIT', unit, bytes })
    this.#units++
  }

  /** A slot gets `bytes`. */
  slot(place: CortexSlot, bytes: Uint8Array): void {
    this.#touch('CORTEX', place.page)
    this.add({ kind: 'SLOT', region: 'CORTEX', ...place, bytes })
  }

  /** The items in the order of a record, births first; the draft is empty then. */
  take(): LogItem[] {
    const items = [...this.#births, ...this.#items]
    this.#births = []
    this.#items = []
    return items
  }

  #touch(region: RegionName, page: number): void {
    const target = pageInCopy(this.#geometry, region, page)
    if (this.#initialised.has(target)) return
    this.#initialised.add(target)
    this.#births.push({ kind: 'BIRTH', first: target, count: 1 })
  }

  #touchMap(region: 'FREE' | 'UNIT', bit: number): void {
    this.#touch(region, Math.floor(bit / constant('MAP_BITS_PER_PAGE')))
  }
}
