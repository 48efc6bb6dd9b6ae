/** Slots for new anchors: the lowest free one of their two pages. No anchor moves to make room for another. */
import { type PageNumber, pageNumber, type SlotIndex, slotIndex } from '../base/units.ts'
import { constant } from '../format/constants.ts'
import { cortexBuckets } from '../format/cortex.ts'
import type { SipKey } from '../format/siphash.ts'

/** A slot of the cortex. */
export interface CortexSlot {
  readonly page: PageNumber
  readonly slot: SlotIndex
}

/** Who holds which slot, as far as it was told. */
export class SlotTable {
  readonly #key: SipKey
  readonly #pages: number
  /** Numbers of files by page and slot. */
  readonly #holders = new Map<number, Map<number, number>>()

  /** `pages`: size of the cortex. The table starts empty; `take` tells it what is there. */
  constructor(key: SipKey, pages: number) {
    this.#key = key
    this.#pages = pages
  }

  take({ page, slot }: CortexSlot, number: number): void {
    const holders = this.#holders.get(page)
    if (holders) holders.set(slot, number)
    else this.#holders.set(page, new Map([[slot, number]]))
  }

  /**
   * Where file `number` stands; if nowhere yet, it takes the lowest free slot of page H1, else of H2 (the
   * reverse with `startAtSecond`). Null: both are full.
   */
  slotOf(number: number, hint: number, startAtSecond = false): CortexSlot | null {
    const { first, second } = cortexBuckets(this.#key, number, hint, this.#pages)
    let free: CortexSlot | null = null
    for (const page of startAtSecond ? [second, first] : [first, second]) {
      const holders = this.#holders.get(page)
      for (let slot = 0; slot < constant('SLOTS_PER_PAGE'); slot++) {
        const place = { page: pageNumber(page), slot: slotIndex(slot) }
        const holder = holders?.get(slot)
        if (holder === number) return place
        if (holder === undefined) free ??= place
      }
    }
    if (free) this.take(free, number)
    return free
  }
}
