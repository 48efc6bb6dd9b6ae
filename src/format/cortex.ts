/** Where an anchor may stand in the cortex (docs/format.md section 3). */
import { type PageNumber, pageNumber } from '../base/units.ts'
import { constant } from './constants.ts'
import { type SipKey, siphash24Halves } from './siphash.ts'

const C = 'C'.charCodeAt(0)

/** The two pages (buckets of the cuckoo table) of an anchor. */
export interface CortexBuckets {
  /** H1: the page in the neighbourhood that the hint picks. */
  readonly first: PageNumber
  /** H2: the alternate page; never H1. */
  readonly second: PageNumber
}

/** The two pages of an anchor; `pages` is the size of the cortex. */
export function cortexBuckets(key: SipKey, number: number, hint: number, pages: number): CortexBuckets {
  const data = new Uint8Array(13)
  const view = new DataView(data.buffer)
  data[0] = C
  view.setBigUint64(1, BigInt(number), true)
  view.setUint32(9, hint, true)
  const [low, high] = siphash24Halves(key, data)
  const neighbourhood = constant('NEIGHBOURHOOD_PAGES')
  const first = neighbourhood * (hint % (pages / neighbourhood)) + (low % neighbourhood)
  // The product exceeds 2^53 for a large cortex only if pages > 2^21; a bigint keeps it exact at any size.
  const second = Number((BigInt(high) * BigInt(pages)) >> 32n)
  return { first: pageNumber(first), second: pageNumber(second === first ? (second + 1) % pages : second) }
}
