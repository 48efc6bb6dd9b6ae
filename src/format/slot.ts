/**
 * A slot: the anchor (hn4's inode) and its attribute record (docs/format.md section 3).
 * The table of legal states is in slot-state.ts.
 */
import { isZero } from '../base/bytes.ts'
import { type Decoded, decode, encode, offsetOf } from './codec.ts'
import { constant, dataClassField, type FlagName, flag } from './constants.ts'
import { crc32c, crc32cWithHole } from './crc32c.ts'
import { ANCHOR, ATTRIBUTES, DIR_STATE, FILE_STATE } from './layout.ts'

export type AnchorFields = Decoded<typeof ANCHOR>
export type AttributeFields = Decoded<typeof ATTRIBUTES>
export type DirState = Decoded<typeof DIR_STATE>
export type FileState = Decoded<typeof FILE_STATE>

export const SLOT_SIZE = constant('SLOT_SIZE')
const ANCHOR_CRC_AT = offsetOf(ANCHOR, 'checksum')
const ATTRIBUTE_CRC_AT = ANCHOR.size + offsetOf(ATTRIBUTES, 'crc')

/** File types: S_IFMT >> 12. */
export const FILE_TYPES = {
  fifo: 1,
  'character device': 2,
  directory: 4,
  'block device': 6,
  regular: 8,
  symlink: 10,
  socket: 12,
} as const
export type FileType = keyof typeof FILE_TYPES

/** Name of a type number; null if it is none. */
export function fileType(number: number): FileType | null {
  return (Object.keys(FILE_TYPES) as FileType[]).find(name => FILE_TYPES[name] === number) ?? null
}

/** A decoded slot. Its checksums hold; whether its state is legal is slotStateProblem's question. */
export class Slot {
  readonly anchor: AnchorFields
  readonly attributes: AttributeFields
  /** The 192 bytes. */
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.anchor = decode(ANCHOR, bytes)
    this.attributes = decode(ATTRIBUTES, bytes, ANCHOR.size)
  }

  /** Inode number; below 2^53 in a legal slot. */
  get number(): number {
    return Number(this.anchor.number)
  }

  /** The 16 bytes of seed_id: number, hint, random. */
  get seedId(): Uint8Array {
    return this.bytes.subarray(0, 16)
  }

  get typeNumber(): number {
    return (this.anchor.permissions >>> 12) & 15
  }

  get type(): FileType | null {
    return fileType(this.typeNumber)
  }

  has(name: FlagName<'DATA_CLASS'>): boolean {
    return (this.anchor.data_class & BigInt(flag('DATA_CLASS', name))) !== 0n
  }

  /** Highest shell in use. */
  get kmax(): number {
    return dataClassField('KMAX', this.anchor.data_class)
  }

  /** Blocks of the file's content: ceil(mass / 4096). */
  get contentBlocks(): number {
    return Number((this.anchor.mass + 4095n) / 4096n)
  }

  /** The inline buffer of a directory. @throws Hn4Error RESERVED */
  dirState(): DirState {
    return decode(DIR_STATE, this.anchor.inline_buffer)
  }

  /** The inline buffer of a SPARSE file. @throws Hn4Error RESERVED */
  fileState(): FileState {
    return decode(FILE_STATE, this.anchor.inline_buffer)
  }
}

export function isEmptySlot(bytes: Uint8Array): boolean {
  return isZero(bytes)
}

/** The number in the bytes of a slot; means something only if its checksum holds. */
export function slotNumber(page: Uint8Array, at: number): bigint {
  return new DataView(page.buffer, page.byteOffset + at, 8).getBigUint64(0, true)
}

/** Which checksum of the 192 bytes is wrong; null if both hold. */
export function slotChecksumProblem(bytes: Uint8Array): string | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  if (anchorChecksum(bytes) !== view.getUint32(ANCHOR_CRC_AT, true)) return 'anchor checksum'
  if (attributesChecksum(bytes) !== view.getUint32(ATTRIBUTE_CRC_AT, true)) return 'checksum of the attributes'
  return null
}

export function anchorChecksum(bytes: Uint8Array): number {
  return crc32cWithHole(bytes.subarray(0, ANCHOR.size), ANCHOR_CRC_AT)
}

/** Covers seed_id too, so that the attributes of another file do not pass. */
export function attributesChecksum(bytes: Uint8Array): number {
  return crc32c(bytes.subarray(ANCHOR.size, ATTRIBUTE_CRC_AT), crc32c(bytes.subarray(0, 16)))
}

/** The 192 bytes of a slot with both checksums; the fields `checksum` and `crc` given are ignored. */
export function encodeSlot(anchor: AnchorFields, attributes: AttributeFields): Uint8Array {
  const bytes = new Uint8Array(SLOT_SIZE)
  encode(ANCHOR, anchor, bytes)
  encode(ATTRIBUTES, attributes, bytes, ANCHOR.size)
  const view = new DataView(bytes.buffer)
  view.setUint32(ANCHOR_CRC_AT, anchorChecksum(bytes), true)
  view.setUint32(ATTRIBUTE_CRC_AT, attributesChecksum(bytes), true)
  return bytes
}

/** The fields of an anchor that says nothing yet: all zero. */
export function emptyAnchor(): AnchorFields {
  return decode(ANCHOR, new Uint8Array(ANCHOR.size))
}

/** The same of an attribute record. */
export function emptyAttributes(): AttributeFields {
  return decode(ATTRIBUTES, new Uint8Array(ATTRIBUTES.size))
}

/** The 16 bytes of a seed_id. */
export function seedIdBytes(number: bigint, hint: number, random: number): Uint8Array {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, number, true)
  view.setUint32(8, hint, true)
  view.setUint32(12, random, true)
  return bytes
}
