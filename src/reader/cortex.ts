/** Finds anchors: page H1, page H2, the stash (docs/format.md section 3). */
import { Hn4Error, isDamage } from '../base/error.ts'
import { type PageNumber, pageNumber, type SlotIndex, slotIndex } from '../base/units.ts'
import { constant } from '../format/constants.ts'
import { type CortexBuckets, cortexBuckets } from '../format/cortex.ts'
import { isLater } from '../format/page.ts'
import { isEmptySlot, SLOT_SIZE, Slot, slotChecksumProblem, slotNumber } from '../format/slot.ts'
import { slotStateProblem } from '../format/slot-state.ts'
import type { Core } from './core.ts'
import { readChain } from './extensions.ts'

export interface SlotPlace {
  readonly region: 'CORTEX' | 'STASH'
  readonly page: PageNumber
  readonly slot: SlotIndex
}

/** An anchor and where it stands. */
export interface Located {
  readonly slot: Slot
  readonly place: SlotPlace
  /** Its two pages, H1 and H2. */
  readonly buckets: CortexBuckets
}

const SLOTS = constant('SLOTS_PER_PAGE')

/** The non-empty slots of a page as bytes. @throws Hn4Error PAGE */
export function* slotsOfPage(
  core: Core,
  region: SlotPlace['region'],
  page: number,
): Generator<{ place: SlotPlace; bytes: Uint8Array }> {
  const { payload } = core.pages.load(region, page)
  for (let i = 0; i < SLOTS; i++) {
    const bytes = payload.subarray(i * SLOT_SIZE, (i + 1) * SLOT_SIZE)
    if (!isEmptySlot(bytes)) yield { place: { region, page: pageNumber(page), slot: slotIndex(i) }, bytes }
  }
}

/** Checksums and the table of states. @throws Hn4Error ANCHOR, or UNSUPPORTED for what version 1 only reserves */
export function checkedSlot(core: Core, bytes: Uint8Array, place: SlotPlace): Slot {
  const wrong = (cause: string): Hn4Error => {
    const number = slotNumber(bytes, 0)
    return new Hn4Error('ANCHOR', {
      number,
      region: place.region.toLowerCase(),
      page: place.page,
      slot: place.slot,
      cause,
    })
  }
  const sum = slotChecksumProblem(bytes)
  if (sum !== null) throw wrong(sum)
  const slot = new Slot(bytes)
  const problem = slotStateProblem(slot, core.limits)
  if (problem?.isLater)
    throw new Hn4Error('UNSUPPORTED', {
      number: slot.anchor.number,
      text: `file {number}: ${problem.cause} is not supported by this version`,
    })
  if (problem !== null) throw wrong(problem.cause)
  if (isLater(slot.anchor.write_gen, core.pages.load(place.region, place.page).txn))
    throw wrong('of a later transaction than its page')
  return slot
}

/** The pages where the anchor of file `number` may stand. */
export function bucketsOf(core: Core, number: number, hint: number): CortexBuckets {
  return cortexBuckets(core.key, number, hint, core.geometry.pages.CORTEX)
}

/**
 * The anchor of a file. A page that cannot be read matters only if the anchor is nowhere else.
 * @throws Hn4Error ANCHOR_MISSING, ANCHOR, EXTENSION, PAGE, UNSUPPORTED
 */
export function findAnchor(core: Core, number: number, hint: number): Located {
  const buckets = bucketsOf(core, number, hint)
  const stash = Array.from({ length: core.geometry.pages.STASH }, (_, page) => ['STASH', page] as const)
  let unreadable: Hn4Error | null = null
  for (const [region, page] of [['CORTEX', buckets.first], ['CORTEX', buckets.second], ...stash] as const) {
    try {
      for (const { place, bytes } of slotsOfPage(core, region, page)) {
        if (slotNumber(bytes, 0) !== BigInt(number)) continue
        const slot = checkedSlot(core, bytes, place)
        // Nothing else reads lists of this kind: that the record is there has to be asked here.
        if (slot.has('HAS_ACL')) readChain(core, slot)
        return { slot, place, buckets }
      }
    } catch (error) {
      if (!isDamage(error) || error.code !== 'PAGE') throw error
      unreadable ??= error
    }
  }
  throw unreadable ?? new Hn4Error('ANCHOR_MISSING', { number, first: buckets.first, second: buckets.second })
}
