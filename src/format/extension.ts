/** Extension records, their chains' payloads and extended attributes (docs/format.md section 6). */
import { isZero } from '../base/bytes.ts'
import { Hn4Error } from '../base/error.ts'
import { type Decoded, decode, encode, offsetOf } from './codec.ts'
import { constant } from './constants.ts'
import { crc32cWithHole } from './crc32c.ts'
import { EXTENSION_RECORD, EXTENSIONS } from './layout.ts'

export type ExtensionFields = Decoded<typeof EXTENSION_RECORD>

export const UNIT_SIZE = constant('UNIT_SIZE')
const PER_PAGE = constant('UNITS_PER_PAGE')
/** Largest payload of a record: a whole page of units. */
export const EXTENSION_PAYLOAD_MAX = PER_PAGE * UNIT_SIZE - EXTENSION_RECORD.size
const CRC_AT = offsetOf(EXTENSION_RECORD, 'crc')
const XATTR_HEADER = 8
const XATTR_VALUE_MAX = 65536

/** Units of a record with `length` bytes of payload. */
export function unitsOf(length: number): number {
  return Math.ceil((EXTENSION_RECORD.size + length) / UNIT_SIZE)
}

export interface ExtensionRecord {
  readonly fields: ExtensionFields
  readonly payload: Uint8Array
  readonly units: number
}

/** The record that begins at unit `unit`, in the payload of its page; or why there is none. */
export function readExtension(page: Uint8Array, unit: number): ExtensionRecord | string {
  const first = unit % PER_PAGE
  const at = first * UNIT_SIZE
  let fields: ExtensionFields
  try {
    fields = decode(EXTENSION_RECORD, page, at)
  } catch (error) {
    if (error instanceof Hn4Error) return error.message
    throw error
  }
  if (fields.magic !== constant('EXTENSION_MAGIC')) return 'no extension record'
  const { length } = fields
  if (length < 1 || length > EXTENSION_PAYLOAD_MAX) return `payload of ${length} bytes`
  const units = unitsOf(length)
  if (first + units > PER_PAGE) return 'record leaves its page'
  const end = at + EXTENSION_RECORD.size + length
  if (crc32cWithHole(page.subarray(at, end), CRC_AT) !== fields.crc) return 'checksum'
  if (!isZero(page, end, at + units * UNIT_SIZE)) return 'bytes behind the payload are not zero'
  if (!EXTENSIONS.some(([, number]) => number === fields.type)) return `unknown type ${fields.type}`
  return { fields, payload: page.subarray(at + EXTENSION_RECORD.size, end), units }
}

/** Whole units of a record. */
export function encodeExtension(
  fields: Omit<ExtensionFields, 'magic' | 'length' | 'crc'>,
  payload: Uint8Array,
): Uint8Array {
  const bytes = new Uint8Array(unitsOf(payload.length) * UNIT_SIZE)
  encode(EXTENSION_RECORD, { ...fields, magic: constant('EXTENSION_MAGIC'), length: payload.length, crc: 0 }, bytes)
  bytes.set(payload, EXTENSION_RECORD.size)
  const crc = crc32cWithHole(bytes.subarray(0, EXTENSION_RECORD.size + payload.length), CRC_AT)
  new DataView(bytes.buffer).setUint32(CRC_AT, crc, true)
  return bytes
}

export interface Xattr {
  readonly name: Uint8Array
  readonly value: Uint8Array
}

/** The entries of an XATTR payload, or why it is none. */
export function readXattrs(payload: Uint8Array): Xattr[] | string {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length)
  const entries: Xattr[] = []
  const names = new Set<string>()
  let at = 0
  while (at < payload.length) {
    if (payload.length - at < XATTR_HEADER) return 'attribute cut off'
    const nameLength = payload[at]!
    const valueLength = view.getUint32(at + 4, true)
    if (!isZero(payload, at + 1, at + 4)) return 'reserved bytes of an attribute'
    if (nameLength === 0 || valueLength > XATTR_VALUE_MAX)
      return `attribute with ${nameLength} bytes of name, ${valueLength} of value`
    const valueAt = at + XATTR_HEADER + nameLength
    if (valueAt + valueLength > payload.length) return 'attribute cut off'
    const name = payload.subarray(at + XATTR_HEADER, valueAt)
    if (name.includes(0)) return 'NUL in the name of an attribute'
    const key = Buffer.from(name).toString('latin1')
    if (names.has(key)) return 'an attribute twice'
    names.add(key)
    at = valueAt + valueLength
    entries.push({ name, value: payload.subarray(valueAt, at) })
  }
  return entries
}

export function encodeXattrs(entries: readonly Xattr[]): Uint8Array {
  const parts = entries.map(({ name, value }) => {
    const bytes = new Uint8Array(XATTR_HEADER + name.length + value.length)
    bytes[0] = name.length
    new DataView(bytes.buffer).setUint32(4, value.length, true)
    bytes.set(name, XATTR_HEADER)
    bytes.set(value, XATTR_HEADER + name.length)
    return bytes
  })
  return new Uint8Array(Buffer.concat(parts))
}
