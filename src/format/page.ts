/** Metadata pages: payload and trailer (docs/format.md section 2). */
import { equalBytes } from '../base/bytes.ts'
import { type Decoded, decode, encode, offsetOf } from './codec.ts'
import { constant } from './constants.ts'
import { crc32c } from './crc32c.ts'
import { BLOCK_SIZE, PAGE_PAYLOAD, PAGE_TRAILER } from './layout.ts'

const CRC_AT = PAGE_PAYLOAD + offsetOf(PAGE_TRAILER, 'crc')

/** Where a page stands: what it must say of itself. */
export interface PagePlace {
  /** Region number of layout.ts. */
  readonly region: number
  readonly page: number
  readonly salt: Uint8Array
}

/** What a page holds. */
export interface Page {
  /** 4032 bytes. */
  readonly payload: Uint8Array
  /** Last transaction that changed it. */
  readonly txn: bigint
}

/**
 * Whether something that notes the low 32 bits of its transaction is of a later one than `txn`, which changed its page
 * last. From 2^32 transactions on nobody can tell: those of something old look like any other.
 */
export function isLater(generation: number, txn: bigint): boolean {
  return BigInt(generation) > txn && txn < 2n ** 32n
}

/** The 4096 bytes that stand on the device for a page. The inverse of decodePage. */
export function encodePage({ region, page, salt }: PagePlace, { payload, txn }: Page): Uint8Array {
  const block = new Uint8Array(BLOCK_SIZE)
  block.set(payload)
  const trailer = { magic: constant('PAGE_MAGIC'), region, page: BigInt(page), txn, salt, crc: 0 }
  encode(PAGE_TRAILER, trailer, block, PAGE_PAYLOAD)
  new DataView(block.buffer).setUint32(CRC_AT, crc32c(block.subarray(0, CRC_AT)), true)
  return block
}

/** The page that stands in `block`, its payload a view; a text if it is not the page of `place`: why. */
export function decodePage(place: PagePlace, block: Uint8Array): Page | string {
  const view = new DataView(block.buffer, block.byteOffset, BLOCK_SIZE)
  if (view.getUint32(PAGE_PAYLOAD, true) !== constant('PAGE_MAGIC')) return 'no page magic'
  if (crc32c(block.subarray(0, CRC_AT)) !== view.getUint32(CRC_AT, true)) return 'checksum'
  const trailer = decodeTrailer(block)
  if (typeof trailer === 'string') return trailer
  const { region, page, salt, txn } = trailer
  if (region !== place.region || page !== BigInt(place.page)) return 'page of another place'
  if (!equalBytes(salt, place.salt)) return 'page of another volume'
  if (txn === 0n) return 'page without a transaction'
  return { payload: block.subarray(0, PAGE_PAYLOAD), txn }
}

function decodeTrailer(block: Uint8Array): Decoded<typeof PAGE_TRAILER> | string {
  try {
    return decode(PAGE_TRAILER, block, PAGE_PAYLOAD)
  } catch {
    return 'reserved bytes of the trailer'
  }
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
