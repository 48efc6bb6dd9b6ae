/**
 * Replay in memory: what the log's transactions change in each metadata page. Changes are kept as
 * patches and applied when a page is loaded, so that memory follows the log's size, not the volume's.
 */
import type { CopyPage } from '../base/units.ts'
import { constant } from '../format/constants.ts'
import { descriptorPage, writeDescriptor } from '../format/descriptor.ts'
import { type DescriptorsItem, stampOf } from '../format/descriptors-item.ts'
import { type Geometry, pageInCopy, type RegionName, regionStart } from '../format/geometry.ts'
import type { LogItem } from '../format/log-item.ts'
import { changeBits } from '../format/page.ts'
import type { Transaction } from './log.ts'

/** A change of the pages [first, last] of the copy. */
interface Patch {
  /** Position in the log: patches of a page apply in this order. */
  readonly order: number
  readonly txn: bigint
  readonly first: number
  readonly last: number
  /** Replaces the whole payload: what stood there before does not count. */
  readonly isWhole: boolean
  readonly apply: (payload: Uint8Array, page: number) => void
}

/** What the log makes of one page. */
export interface PagePatches {
  /** The page starts from empty or from a whole image: its copies need not be read. */
  readonly isWhole: boolean
  /** Last transaction that changed it. */
  readonly txn: bigint
  /** Applies all patches to a payload of 4032 bytes. */
  apply(payload: Uint8Array): void
}

const BITS = constant('MAP_BITS_PER_PAGE')
/** A patch of more pages is kept once and looked at for every page, instead of once per page. */
const WIDE_PAGES = 16

export class Overlay {
  readonly #geometry: Geometry
  readonly #byPage = new Map<number, Patch[]>()
  readonly #wide: Patch[] = []
  #order = 0

  constructor(g: Geometry, transactions: readonly Transaction[]) {
    this.#geometry = g
    for (const { fields, items } of transactions) for (const item of items) this.#addItem(item, fields.txn)
  }

  /** The changes of a page; null if the log does not touch it. */
  patchesOf(page: CopyPage): PagePatches | null {
    const wide = this.#wide.filter(patch => patch.first <= page && page <= patch.last)
    const narrow = this.#byPage.get(page) ?? []
    if (wide.length + narrow.length === 0) return null
    const all = [...wide, ...narrow].sort((a, b) => a.order - b.order)
    const start = all.findLastIndex(patch => patch.isWhole)
    const used = start < 0 ? all : all.slice(start)
    const apply = (payload: Uint8Array): void => {
      for (const patch of used) patch.apply(payload, page)
    }
    return { isWhole: start >= 0, txn: all.at(-1)!.txn, apply }
  }

  /** Pages that the log touches with narrow patches; wide ones are unwritten runs, frees and births. */
  get touchedPages(): number {
    return this.#byPage.size
  }

  #add(first: number, last: number, txn: bigint, apply: Patch['apply'], isWhole = false): void {
    const patch = { order: this.#order++, txn, first, last, isWhole, apply }
    if (last - first >= WIDE_PAGES) {
      this.#wide.push(patch)
      return
    }
    for (let page = first; page <= last; page++) {
      const patches = this.#byPage.get(page)
      if (patches) patches.push(patch)
      else this.#byPage.set(page, [patch])
    }
  }

  #addItem(item: LogItem, txn: bigint): void {
    switch (item.kind) {
      case 'SLOT':
      case 'SLOT_CLEAR': {
        const at = item.slot * constant('SLOT_SIZE')
        const bytes = item.kind === 'SLOT' ? item.bytes : new Uint8Array(constant('SLOT_SIZE'))
        this.#addBytes(item.region, item.page, at, bytes, txn)
        return
      }
      case 'DESCRIPTORS':
        this.#addDescriptors(item, txn)
        this.#addBits('FREE', item.data, item.count, true, txn)
        return
      case 'BLOCKS_FREE':
        this.#addBits('FREE', item.first, item.count, false, txn)
        return
      case 'UNIT': {
        const perPage = constant('UNITS_PER_PAGE')
        const at = (item.unit % perPage) * constant('UNIT_SIZE')
        this.#addBytes('EXTENSION', Math.floor(item.unit / perPage), at, item.bytes, txn)
        this.#addBits('UNIT', item.unit, 1, true, txn)
        return
      }
      case 'UNITS_FREE':
        this.#addBits('UNIT', item.first, item.count, false, txn)
        return
      case 'BIRTH':
        this.#add(item.first, item.first + item.count - 1, txn, payload => payload.fill(0), true)
        this.#addBits('INIT', item.first, item.count, true, txn)
        return
      case 'PAGE':
        this.#add(item.page, item.page, txn, payload => payload.set(item.payload), true)
    }
  }

  #addBytes(region: RegionName, page: number, at: number, bytes: Uint8Array, txn: bigint): void {
    const target = pageInCopy(this.#geometry, region, page)
    this.#add(target, target, txn, payload => payload.set(bytes, at))
  }

  #addBits(region: 'INIT' | 'FREE' | 'UNIT', first: number, count: number, on: boolean, txn: bigint): void {
    const start = regionStart(this.#geometry, region)
    const end = first + count
    const apply = (payload: Uint8Array, page: number): void => {
      const base = (page - start) * BITS
      changeBits(payload, Math.max(first - base, 0), Math.min(end - base, BITS), on)
    }
    this.#add(start + Math.floor(first / BITS), start + Math.floor((end - 1) / BITS), txn, apply)
  }

  #addDescriptors(item: DescriptorsItem, txn: bigint): void {
    const g = this.#geometry
    const perPage = g.descriptorsPerPage
    const start = regionStart(g, 'DESCRIPTOR')
    const end = item.data + item.count
    const { owner, flags, stored, hint } = item
    const apply = (payload: Uint8Array, page: number): void => {
      const from = Math.max(item.data, (page - start) * perPage)
      const to = Math.min(end, (page - start + 1) * perPage)
      for (let data = from; data < to; data++) {
        const i = data - item.data
        const place = { owner, index: item.index + i, txn: Number(txn), flags, stored, hint }
        writeDescriptor(g, payload, data, { ...place, ...stampOf(item, i) })
      }
    }
    this.#add(start + descriptorPage(g, item.data), start + descriptorPage(g, end - 1), txn, apply)
  }
}
