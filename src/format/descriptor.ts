/** Block descriptors: who owns a data block and what it must contain (docs/format.md section 2). */
import { isZero } from '../base/bytes.ts'
import { type Decoded, encode, offsetOf, readU48 } from './codec.ts'
import { constant, flag } from './constants.ts'
import type { Geometry } from './geometry.ts'
import { DESCRIPTOR } from './layout.ts'

/** What a descriptor keeps of its block's content. Plain descriptors keep the CRC alone: the rest is zero. */
export interface Stamp {
  /** CRC32C of the stored bytes. */
  readonly crc: number
  /** 16 bytes drawn when the block's run was placed. */
  readonly random: Uint8Array
  /** 16 bytes that only a holder of the volume's key computes. */
  readonly tag: Uint8Array
}

export type DescriptorFields = Readonly<Decoded<typeof DESCRIPTOR>> & Stamp

/** Which block of which file: `index` is that of this very block, `flags` have its copy number. */
export type BlockPlace = Pick<DescriptorFields, 'owner' | 'hint' | 'index' | 'flags' | 'stored'>

/** Random part and tag where there is none. Shared: do not change. */
export const NO_RANDOM = new Uint8Array(16)
export const NO_TAG = new Uint8Array(16)

/** Bytes of the descriptors of plain volumes: what a block costs besides its own bytes. */
export const PLAIN_DESCRIPTOR_SIZE = constant('DESCRIPTOR_SIZE')

/** Bytes of a descriptor that keeps a whole stamp: the fields of a plain one, the random part, the tag. */
const WHOLE_STAMP_SIZE = DESCRIPTOR.size + NO_RANDOM.length + NO_TAG.length

/** How the descriptors of a volume lie in their pages. */
export type DescriptorTable = Pick<Geometry, 'descriptorSize' | 'descriptorsPerPage'>

const COPY_BITS = 15
const UNWRITTEN = flag('DESCRIPTOR', 'UNWRITTEN')
const META = flag('DESCRIPTOR', 'META')

/** Page of the descriptor table that holds the descriptor of a data block. */
export function descriptorPage(table: DescriptorTable, data: number): number {
  return Math.floor(data / table.descriptorsPerPage)
}

/** True if the descriptors keep random part and tag. */
export function hasWholeStamps(table: DescriptorTable): boolean {
  return table.descriptorSize === WHOLE_STAMP_SIZE
}

/** Byte of its page at which the descriptor of a data block begins. */
export function descriptorOffset(table: DescriptorTable, data: number): number {
  return (data % table.descriptorsPerPage) * table.descriptorSize
}

const AT = {
  owner: offsetOf(DESCRIPTOR, 'owner'),
  index: offsetOf(DESCRIPTOR, 'index'),
  txn: offsetOf(DESCRIPTOR, 'txn'),
  crc: offsetOf(DESCRIPTOR, 'crc'),
  flags: offsetOf(DESCRIPTOR, 'flags'),
  stored: offsetOf(DESCRIPTOR, 'stored'),
  hint: offsetOf(DESCRIPTOR, 'hint'),
}
const RANDOM_AT = DESCRIPTOR.size
const TAG_AT = RANDOM_AT + NO_RANDOM.length

/**
 * Reads the descriptor of data block `data` from the payload of its page. Field by field instead of by
 * `decode`: scrub and fsck do it twice for every block of a volume. A test compares the two.
 */
export function readDescriptor(table: DescriptorTable, payload: Uint8Array, data: number): DescriptorFields {
  const at = descriptorOffset(table, data)
  const isWhole = hasWholeStamps(table)
  const view = new DataView(payload.buffer, payload.byteOffset + at, DESCRIPTOR.size)
  return {
    owner: view.getBigUint64(AT.owner, true),
    index: readU48(view, AT.index),
    txn: readU48(view, AT.txn),
    crc: view.getUint32(AT.crc, true),
    flags: view.getUint16(AT.flags, true),
    stored: view.getUint16(AT.stored, true),
    hint: view.getUint32(AT.hint, true),
    random: isWhole ? payload.subarray(at + RANDOM_AT, at + TAG_AT) : NO_RANDOM,
    tag: isWhole ? payload.subarray(at + TAG_AT, at + WHOLE_STAMP_SIZE) : NO_TAG,
  }
}

/** Writes the descriptor of data block `data` into the payload of its page. */
export function writeDescriptor(
  table: DescriptorTable,
  payload: Uint8Array,
  data: number,
  fields: DescriptorFields,
): void {
  const at = descriptorOffset(table, data)
  encode(DESCRIPTOR, fields, payload, at)
  if (!hasWholeStamps(table)) return
  payload.set(fields.random, at + RANDOM_AT)
  payload.set(fields.tag, at + TAG_AT)
}

export const copyNumber = (d: Pick<BlockPlace, 'flags'>): number => d.flags & COPY_BITS
export const isUnwritten = (d: Pick<BlockPlace, 'flags'>): boolean => (d.flags & UNWRITTEN) !== 0
export const isMeta = (d: Pick<BlockPlace, 'flags'>): boolean => (d.flags & META) !== 0

/** Why a live descriptor is illegal by itself; null if it is legal. `pageTxn`: the last transaction that changed its page. */
export function descriptorProblem(d: DescriptorFields, pageTxn: bigint): string | null {
  if (d.owner === 0n || d.owner >= 2n ** 53n) return `live, but its owner is ${d.owner}`
  if ((d.flags & ~(COPY_BITS | UNWRITTEN | META)) !== 0) return `unknown flags ${d.flags}`
  if (copyNumber(d) > 1) return `copy ${copyNumber(d)}`
  if (copyNumber(d) === 1 && !isMeta(d)) return 'copy 1 of a block of data'
  if (isUnwritten(d)) {
    if (d.crc !== 0 || d.stored !== 0 || !isZero(d.random) || !isZero(d.tag)) return 'unwritten, but with a checksum'
    if (isMeta(d)) return 'unwritten block of metadata'
  } else if (d.stored !== constant('BLOCK_SIZE')) return `${d.stored} stored bytes`
  if (d.txn === 0 || BigInt(d.txn) > pageTxn) return `transaction ${d.txn} in a page of ${pageTxn}`
  return null
}
