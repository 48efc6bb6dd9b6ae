/** Log records: what makes one exist, and its blocks (docs/format.md section 7). Its items: log-item.ts. */
import { equalBytes, isZero } from '../base/bytes.ts'
import { Hn4Error } from '../base/error.ts'
import { TXN_END } from './checkpoint.ts'
import { type Decoded, decode, encode, offsetOf } from './codec.ts'
import { constant } from './constants.ts'
import { countersProblem } from './counters.ts'
import { crc32c } from './crc32c.ts'
import { type Geometry, ringBlocks } from './geometry.ts'
import { BLOCK_SIZE, LOG_RECORD } from './layout.ts'
import { encodeItem, type LogItem } from './log-item.ts'
import { readItems } from './record-items.ts'

export type RecordFields = Decoded<typeof LOG_RECORD>

const CRC_AT = offsetOf(LOG_RECORD, 'crc')
const FOUR_ZEROS = new Uint8Array(4)

/** True if `block` begins as a record of the volume does: what a scan of the ring looks for. */
export function looksLikeRecord(block: Uint8Array, salt: Uint8Array): boolean {
  const view = new DataView(block.buffer, block.byteOffset)
  const at = offsetOf(LOG_RECORD, 'salt')
  return view.getUint32(0, true) === constant('RECORD_MAGIC') && equalBytes(block.subarray(at, at + 16), salt)
}

/** The header at the start of `block` if it keeps every rule but those of its place and its checksum; else null. */
export function readRecordHeader(block: Uint8Array, salt: Uint8Array, g: Geometry): RecordFields | null {
  if (!looksLikeRecord(block, salt)) return null
  let fields: RecordFields
  try {
    fields = decode(LOG_RECORD, block)
  } catch {
    return null
  }
  const { blocks, length } = fields
  if (blocks < 1 || blocks > Math.floor(ringBlocks(g) / 4) || length < LOG_RECORD.size) return null
  if (fields.txn < 1n || fields.txn >= TXN_END || countersProblem(fields, g) !== null) return null
  return Math.ceil(length / BLOCK_SIZE) === blocks ? fields : null
}

/** Sums a record block by block, so that a record of any length needs no buffer of its size. */
export class RecordSum {
  #crc = 0
  #first = true

  add(blocks: Uint8Array): void {
    if (!this.#first) {
      this.#crc = crc32c(blocks, this.#crc)
      return
    }
    this.#first = false
    this.#crc = crc32c(blocks.subarray(0, CRC_AT))
    this.#crc = crc32c(FOUR_ZEROS, this.#crc)
    this.#crc = crc32c(blocks.subarray(CRC_AT + 4), this.#crc)
  }

  get value(): number {
    return this.#crc
  }
}

/**
 * The items of a whole record whose header was read from its first block; a text if it does not exist: which rule it
 * breaks. Bytes of the items are views into `record`. The inverse of encodeRecord.
 */
export function decodeRecord(header: RecordFields, record: Uint8Array, g: Geometry): LogItem[] | string {
  const sum = new RecordSum()
  sum.add(record)
  if (sum.value !== header.crc) return 'checksum'
  if (!isZero(record, header.length)) return 'bytes behind the last item'
  try {
    return readItems(record, header.txn, header.length, header.items, g)
  } catch (error) {
    if (error instanceof Hn4Error && error.code === 'LOG_ITEM') return error.message
    throw error
  }
}

/** The whole blocks of a record as they stand in the log; the fields that follow from the items are computed. */
export function encodeRecord(
  fields: Omit<RecordFields, 'magic' | 'blocks' | 'length' | 'items' | 'crc'>,
  items: readonly LogItem[],
): Uint8Array {
  const encoded = items.map(encodeItem)
  const length = encoded.reduce((sum, item) => sum + item.length, Number(LOG_RECORD.size))
  const blocks = Math.ceil(length / BLOCK_SIZE)
  const bytes = new Uint8Array(blocks * BLOCK_SIZE)
  encode(LOG_RECORD, { ...fields, magic: constant('RECORD_MAGIC'), blocks, length, items: items.length, crc: 0 }, bytes)
  let at: number = LOG_RECORD.size
  for (const item of encoded) {
    bytes.set(item, at)
    at += item.length
  }
  const sum = new RecordSum()
  sum.add(bytes)
  new DataView(bytes.buffer).setUint32(CRC_AT, sum.value, true)
  return bytes
}
