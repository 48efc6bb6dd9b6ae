/** Metadata pages: payload and trailer (docs/format.md section 2). */
import { equalBytes } from '../base/bytes.ts'
import { type Decoded, decode, encode, offsetOf } from './codec.ts'
import { constant } from './constants.ts'
import { crc32c } from './crc32c.ts'
import { BLOCK_SIZE, PAGE_PAYLOAD, PAGE_TRAILER } from './layout.ts'

export type PageTrailer = Decoded<typeof PAGE_TRAILER>

const CRC_AT = PAGE_PAYLOAD + offsetOf(PAGE_TRAILER, 'crc')

/** What a page must say of itself. */
export interface PagePlace {
  /** Region number of layout.ts. */
  readonly region: number
  readonly page: number
  readonly salt: Uint8Array
}

/** Why `block` is not the page of `place`; null if it is. */
export function pageProblem(block: Uint8Array, place: PagePlace): string | null {
  const view = new DataView(block.buffer, block.byteOffset, BLOCK_SIZE)
  if (view.getUint32(PAGE_PAYLOAD, true) !== constant('PAGE_MAGIC')) return 'no page magic'
  if (crc32c(block.subarray(0, CRC_AT)) !== view.getUint32(CRC_AT, true)) return 'checksum'
  const trailer = decodeTrailer(block)
  if (typeof trailer === 'string') return trailer
  if (trailer.region !== place.region || trailer.page !== BigInt(place.page)) return 'page of another place'
  if (!equalBytes(trailer.salt, place.salt)) return 'page of another volume'
  if (trailer.txn === 0n) return 'page without a transaction'
  return null
}

function decodeTrailer(block: Uint8Array): PageTrailer | string {
  try {
    return decode(PAGE_TRAILER, block, PAGE_PAYLOAD)
  } catch {
    return 'reserved bytes of the trailer'
  }
}

/** The transaction in the trailer of a page that was checked. */
export function pageTransaction(block: Uint8Array): bigint {
  return new DataView(block.buffer, block.byteOffset).getBigUint64(PAGE_PAYLOAD + offsetOf(PAGE_TRAILER, 'txn'), true)
}

/** Writes the trailer behind the payload in `block`, with its checksum. */
export function checksumPage(block: Uint8Array, place: PagePlace, txn: bigint): void {
  encode(
    PAGE_TRAILER,
    { magic: constant('PAGE_MAGIC'), region: place.region, page: BigInt(place.page), txn, salt: place.salt, crc: 0 },
    block,
    PAGE_PAYLOAD,
  )
  new DataView(block.buffer, block.byteOffset).setUint32(CRC_AT, crc32c(block.subarray(0, CRC_AT)), true)
}

/** Bit `bit` of a bitmap payload. */
export function bitOf(payload: Uint8Array, bit: number): boolean {
  return ((payload[bit >> 3]! >> (bit & 7)) & 1) === 1
}

/** Sets or clears bits [from, to) of a bitmap payload. */
export function changeBits(payload: Uint8Array, from: number, to: number, on: boolean): void {
  let bit = from
  while (bit < to) {
    if ((bit & 7) === 0 && to - bit >= 8) {
      const bytes = (to - bit) >> 3
      payload.fill(on ? 0xff : 0, bit >> 3, (bit >> 3) + bytes)
      bit += bytes * 8
      continue
    }
    const mask = 1 << (bit & 7)
    payload[bit >> 3] = on ? payload[bit >> 3]! | mask : payload[bit >> 3]! & ~mask
    bit++
  }
}
