/**
 * The log item DESCRIPTORS: a run of descriptors that differ in index and stamp only (docs/format.md section 7).
 *
 * Behind its fields stand `count` CRCs, padded to 8 bytes. With descriptors that keep whole stamps the random part
 * that the run shares stands before the CRCs, and `count` tags behind them. An UNWRITTEN run has neither.
 */
import { isZero } from '../base/bytes.ts'
import { type DataNumber, dataNumber } from '../base/units.ts'
import { decode, encode } from './codec.ts'
import {
  copyNumber,
  type DescriptorTable,
  descriptorProblem,
  hasWholeStamps,
  isUnwritten,
  NO_RANDOM,
  NO_TAG,
  type Stamp,
} from './descriptor.ts'
import { dataBlocks, type Geometry } from './geometry.ts'
import { below, ItemProblem, need, padded } from './item-body.ts'
import { ITEM_DESCRIPTORS } from './layout.ts'

/** The stamps of a run, packed. Bytes are views into the record where it was read. */
export interface PackedStamps {
  /** 16 bytes; none if the descriptors keep no whole stamps, or the run is UNWRITTEN. */
  readonly random: Uint8Array
  /** `count` checksums of 4 bytes; none if UNWRITTEN. */
  readonly crcs: Uint8Array
  /** `count` tags of 16 bytes where there is a random part. */
  readonly tags: Uint8Array
}

export interface DescriptorsItem extends PackedStamps {
  readonly kind: 'DESCRIPTORS'
  readonly data: DataNumber
  readonly owner: bigint
  /** Logical index of the first. */
  readonly index: number
  readonly hint: number
  readonly count: number
  readonly flags: number
  readonly stored: number
}

const CRC = 4
const { length: RANDOM } = NO_RANDOM
const { length: TAG } = NO_TAG

/** The stamp of block `i` of a run. */
export function stampOf({ random, crcs, tags }: PackedStamps, i: number): Stamp {
  const crc = crcs.length === 0 ? 0 : new DataView(crcs.buffer, crcs.byteOffset).getUint32(i * CRC, true)
  if (random.length === 0) return { crc, random: NO_RANDOM, tag: NO_TAG }
  return { crc, random, tag: tags.subarray(i * TAG, (i + 1) * TAG) }
}

/** The stamps of a run that was placed together: they share their random part. None: the run is UNWRITTEN. */
export function packStamps(table: DescriptorTable, stamps: readonly Stamp[]): PackedStamps {
  const crcs = new Uint8Array(stamps.length * CRC)
  for (const [i, { crc }] of stamps.entries()) new DataView(crcs.buffer).setUint32(i * CRC, crc, true)
  const first = stamps[0]
  if (!hasWholeStamps(table) || first === undefined) return { random: new Uint8Array(0), crcs, tags: new Uint8Array(0) }
  return { random: first.random, crcs, tags: new Uint8Array(Buffer.concat(stamps.map(({ tag }) => tag))) }
}

/** @throws ItemProblem */
export function readDescriptors(body: Uint8Array, g: Geometry): DescriptorsItem {
  if (body.length < ITEM_DESCRIPTORS.size) throw new ItemProblem('cut off')
  const f = decode(ITEM_DESCRIPTORS, body)
  const packed = readStamps(body, isUnwritten(f) ? 0 : f.count, hasWholeStamps(g))
  if (f.count === 0) throw new ItemProblem('no descriptor')
  const { owner, flags, stored, hint, count } = f
  const sample = { owner, index: 0, txn: 1, crc: 0, flags, stored, hint, random: NO_RANDOM, tag: NO_TAG }
  const problem = descriptorProblem(sample, 1n)
  if (problem !== null) throw new ItemProblem(problem)
  if (copyNumber(sample) === 1 && g.copyB === 0) throw new ItemProblem('copy 1 on a volume with one metadata copy')
  const data = dataNumber(below(f.data, dataBlocks(g), 'data block'))
  below(f.data + BigInt(count), dataBlocks(g) + 1, 'end of the run')
  const index = below(f.index, 2 ** 48, 'index')
  below(f.index + BigInt(count), 2 ** 48 + 1, 'end of the indices')
  return { kind: 'DESCRIPTORS', data, owner, index, hint, count, flags, stored, ...packed }
}

/** The stamps of `count` written blocks behind the fields of the item. */
function readStamps(body: Uint8Array, count: number, isWhole: boolean): PackedStamps {
  const hasRandom = isWhole && count > 0
  const crcsAt = ITEM_DESCRIPTORS.size + (hasRandom ? RANDOM : 0)
  const crcsEnd = crcsAt + count * CRC
  const tagsAt = padded(crcsEnd)
  need(body, tagsAt + (hasRandom ? count * TAG : 0))
  if (!isZero(body.subarray(crcsEnd, tagsAt))) throw new ItemProblem('padding is not zero')
  return {
    random: body.subarray(ITEM_DESCRIPTORS.size, crcsAt),
    crcs: body.subarray(crcsAt, crcsEnd),
    tags: body.subarray(tagsAt),
  }
}

/** The body, without padding behind it. */
export function encodeDescriptors(item: DescriptorsItem): Uint8Array {
  const { data, owner, index, hint, count, flags, stored, random, crcs, tags } = item
  const crcsAt = ITEM_DESCRIPTORS.size + random.length
  const tagsAt = padded(crcsAt + crcs.length)
  const body = new Uint8Array(tagsAt + tags.length)
  encode(ITEM_DESCRIPTORS, { data: BigInt(data), owner, index: BigInt(index), hint, count, flags, stored }, body)
  body.set(random, ITEM_DESCRIPTORS.size)
  body.set(crcs, crcsAt)
  body.set(tags, tagsAt)
  return body
}
