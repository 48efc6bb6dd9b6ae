/**
 * Typed decoding and encoding of any record of layout.ts.
 *
 * u8 to u48 become numbers, u64 and i64 bigints, bytes a view into the buffer (not a copy).
 * A reserved byte that is not zero is Hn4Error RESERVED.
 */
import { Hn4Error } from '../base/error.ts'
import type { Field, FieldType, RecordLayout } from './layout.ts'

type Value<T> = T extends 'u8' | 'u16' | 'u32' | 'u48'
  ? number
  : T extends 'u64' | 'i64'
    ? bigint
    : T extends `bytes:${number}`
      ? Uint8Array
      : never

/** The fields of a record, without the reserved ones. */
export type Decoded<L extends RecordLayout> = {
  [F in L['fields'][number] as F[2] extends `zero:${number}` ? never : F[0]]: Value<F[2]>
}

type FieldName<L extends RecordLayout> = Extract<keyof Decoded<L>, string>

/** Bytes of a field of type `type`. */
export function sizeOf(type: FieldType): number {
  switch (type) {
    case 'u8':
      return 1
    case 'u16':
      return 2
    case 'u32':
      return 4
    case 'u48':
      return 6
    case 'u64':
    case 'i64':
      return 8
    default:
      return Number(type.slice(type.indexOf(':') + 1))
  }
}

/** Offset of a field inside its record, bytes. */
export function offsetOf<L extends RecordLayout>(layout: L, name: FieldName<L>): number {
  const field = layout.fields.find(f => f[0] === name)
  if (!field) throw new TypeError(`${layout.name} has no field ${name}`)
  return field[1]
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Reads 48 bits; exact, since 2^48 is below 2^53. */
export function readU48(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint16(at + 4, true) * 0x1_0000_0000
}

function writeU48(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 0x1_0000_0000, true)
  view.setUint16(at + 4, Math.floor(value / 0x1_0000_0000), true)
}

function readField(bytes: Uint8Array, view: DataView, at: number, type: FieldType): number | bigint | Uint8Array {
  switch (type) {
    case 'u8':
      return view.getUint8(at)
    case 'u16':
      return view.getUint16(at, true)
    case 'u32':
      return view.getUint32(at, true)
    case 'u48':
      return readU48(view, at)
    case 'u64':
      return view.getBigUint64(at, true)
    case 'i64':
      return view.getBigInt64(at, true)
    default:
      return bytes.subarray(at, at + sizeOf(type))
  }
}

/**
 * Reads a record at `at` of `bytes`.
 * @throws Hn4Error RESERVED; RangeError if the buffer is too short (a mistake of the caller).
 */
export function decode<L extends RecordLayout>(layout: L, bytes: Uint8Array, at = 0): Decoded<L> {
  if (at < 0 || at + layout.size > bytes.length)
    throw new RangeError(`${layout.name}: needs ${layout.size} bytes at ${at}`)
  const view = viewOf(bytes)
  const out: Record<string, number | bigint | Uint8Array> = {}
  for (const [name, offset, type] of layout.fields as readonly Field[]) {
    if (type.startsWith('zero:')) checkZero(layout, bytes, at, offset, type)
    else out[name] = readField(bytes, view, at + offset, type)
  }
  return out as Decoded<L>
}

function checkZero(layout: RecordLayout, bytes: Uint8Array, at: number, offset: number, type: FieldType): void {
  const end = offset + sizeOf(type)
  for (let i = offset; i < end; i++) {
    if (bytes[at + i] !== 0) throw new Hn4Error('RESERVED', { record: layout.name, offset: i })
  }
}

/** Writes a record at `at` of `bytes`; reserved bytes become zero. Values out of range are TypeErrors. */
export function encode<L extends RecordLayout>(layout: L, value: Decoded<L>, bytes: Uint8Array, at = 0): void {
  if (at < 0 || at + layout.size > bytes.length)
    throw new RangeError(`${layout.name}: needs ${layout.size} bytes at ${at}`)
  const view = viewOf(bytes)
  const fields = value as Record<string, unknown>
  for (const [name, offset, type] of layout.fields as readonly Field[]) {
    if (type.startsWith('zero:')) bytes.fill(0, at + offset, at + offset + sizeOf(type))
    else writeField(`${layout.name}.${name}`, bytes, view, at + offset, type, fields[name])
  }
}

const LIMIT = { u8: 2 ** 8, u16: 2 ** 16, u32: 2 ** 32, u48: 2 ** 48 } as const

function writeField(
  name: string,
  bytes: Uint8Array,
  view: DataView,
  at: number,
  type: FieldType,
  value: unknown,
): void {
  if (type === 'u64' || type === 'i64') {
    const [low, high] = type === 'u64' ? [0n, 1n << 64n] : [-(1n << 63n), 1n << 63n]
    if (typeof value !== 'bigint' || value < low || value >= high)
      throw new TypeError(`${name}: not a ${type}: ${String(value)}`)
    if (type === 'u64') view.setBigUint64(at, value, true)
    else view.setBigInt64(at, value, true)
    return
  }
  if (type === 'u8' || type === 'u16' || type === 'u32' || type === 'u48') {
    if (!Number.isInteger(value) || (value as number) < 0 || (value as number) >= LIMIT[type]) {
      throw new TypeError(`${name}: not a ${type}: ${String(value)}`)
    }
    writeNumber(view, at, type, value as number)
    return
  }
  if (!(value instanceof Uint8Array) || value.length !== sizeOf(type))
    throw new TypeError(`${name}: not ${sizeOf(type)} bytes`)
  bytes.set(value, at)
}

function writeNumber(view: DataView, at: number, type: keyof typeof LIMIT, value: number): void {
  if (type === 'u8') view.setUint8(at, value)
  else if (type === 'u16') view.setUint16(at, value, true)
  else if (type === 'u32') view.setUint32(at, value, true)
  else writeU48(view, at, value)
}
