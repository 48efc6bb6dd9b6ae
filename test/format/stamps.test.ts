/** Descriptors of 64 bytes and their log items: what a volume keeps whose codec needs more than a CRC. */
import t from 'tap'
import { dataNumber } from '../../src/base/units.ts'
import { decode } from '../../src/format/codec.ts'
import { flag } from '../../src/format/constants.ts'
import {
  type DescriptorFields,
  descriptorOffset,
  descriptorPage,
  descriptorProblem,
  NO_RANDOM,
  NO_TAG,
  readDescriptor,
  type Stamp,
  writeDescriptor,
} from '../../src/format/descriptor.ts'
import { type DescriptorsItem, packStamps, stampOf } from '../../src/format/descriptors-item.ts'
import { checkGeometry, dataBlocks } from '../../src/format/geometry.ts'
import { DESCRIPTOR, LOG_RECORD } from '../../src/format/layout.ts'
import { encodeItem, type LogItem } from '../../src/format/log-item.ts'
import { planGeometry } from '../../src/format/plan.ts'
import { readItems } from '../../src/format/record-items.ts'
import { decodeSuperblock, encodeSuperblock, newSuperblock } from '../../src/format/superblock.ts'

const bytes16 = (first: number): Uint8Array => Uint8Array.from({ length: 16 }, (_, i) => first + i)
const stamp = (crc: number): Stamp => ({ crc, random: bytes16(0x10), tag: bytes16(0x80 + crc) })

const WHOLE = planGeometry(16384, { descriptorSize: 64 })
const PLAIN = planGeometry(16384)

t.test('a geometry of 64-byte descriptors has 63 on a page, and its superblock says 64', async t => {
  for (const copies of [1, 2] as const) {
    const g = planGeometry(16384, { descriptorSize: 64, copies })
    checkGeometry(g, 0)
    t.equal(g.descriptorsPerPage, 63)
    t.equal(g.pages.DESCRIPTOR, Math.ceil(dataBlocks(g) / 63))
    t.throws(() => checkGeometry({ ...g, descriptorSize: 32, descriptorsPerPage: 126 }, 0), { code: 'GEOMETRY' })
  }
  t.equal(PLAIN.descriptorsPerPage, 126)
  const identity = {
    uuid: bytes16(1),
    salt: bytes16(2),
    hashKey: bytes16(3),
    label: new Uint8Array(0),
    createdNs: 0n,
  }
  t.equal(decodeSuperblock(encodeSuperblock(newSuperblock(WHOLE, identity, 0))).descriptor_size, 64)
})

const fields = { owner: 4711n, index: 2 ** 40 + 5, txn: 9, flags: 0x21, stored: 4096, hint: 42 }

t.test('a descriptor of 64 bytes is that of 32, then random part and tag', async t => {
  const payload = new Uint8Array(4032)
  const data = 63 * 5 + 62
  t.equal(descriptorPage(WHOLE, data), 5)
  t.equal(descriptorOffset(WHOLE, data), 62 * 64)
  const descriptor: DescriptorFields = { ...fields, ...stamp(7) }
  writeDescriptor(WHOLE, payload, data, descriptor)
  t.strictSame(readDescriptor(WHOLE, payload, data), descriptor)
  t.strictSame({ ...decode(DESCRIPTOR, payload, 62 * 64) }, { ...fields, crc: 7 })
  t.strictSame(payload.subarray(62 * 64 + 32, 62 * 64 + 48), bytes16(0x10))
  t.strictSame(payload.subarray(62 * 64 + 48), bytes16(0x87))
  t.ok(
    payload.subarray(0, 62 * 64).every(byte => byte === 0),
    'and nothing else is written',
  )
  t.strictSame(readDescriptor(WHOLE, payload, data - 1).tag, NO_TAG)
})

t.test('an unwritten descriptor has neither checksum, random part nor tag', async t => {
  const unwritten = {
    ...fields,
    flags: flag('DESCRIPTOR', 'UNWRITTEN'),
    stored: 0,
    crc: 0,
    random: NO_RANDOM,
    tag: NO_TAG,
  }
  t.equal(descriptorProblem(unwritten, 9n), null)
  for (const change of [{ crc: 1 }, { stored: 4096 }, { random: bytes16(0) }, { tag: bytes16(0) }])
    t.match(descriptorProblem({ ...unwritten, ...change }, 9n), /unwritten/)
})

const run = { owner: 4711n, index: 100, hint: 42, flags: 0, stored: 4096 }

function item(g: typeof WHOLE, count: number, flags = 0): DescriptorsItem {
  const isUnwritten = flags !== 0
  const stamps = Array.from({ length: isUnwritten ? 0 : count }, (_, i) => stamp(i + 1))
  const stored = isUnwritten ? 0 : 4096
  return { kind: 'DESCRIPTORS', data: dataNumber(70), ...run, count, flags, stored, ...packStamps(g, stamps) }
}

/** What a record with this item alone holds. */
function readBack(g: typeof WHOLE, bytes: Uint8Array): LogItem {
  const record = new Uint8Array(LOG_RECORD.size + bytes.length)
  record.set(bytes, LOG_RECORD.size)
  return readItems(record, 5n, record.length, 1, g)[0]!
}

t.test('DESCRIPTORS with whole stamps: random part of the run, CRCs padded to 8, tags', async t => {
  for (const count of [1, 2, 3, 63]) {
    const made = item(WHOLE, count)
    const bytes = encodeItem(made)
    t.equal(bytes.length, 8 + 40 + 16 + Math.ceil(count / 2) * 8 + 16 * count)
    t.strictSame(bytes.subarray(48, 64), bytes16(0x10))
    t.equal(new DataView(bytes.buffer).getUint32(64 + 4 * (count - 1), true), count)
    t.strictSame(bytes.subarray(-16), bytes16(0x80 + count))
    const found = readBack(WHOLE, bytes) as DescriptorsItem
    t.strictSame({ ...found }, { ...made })
    for (let i = 0; i < count; i++) t.strictSame(stampOf(found, i), stamp(i + 1))
  }
  const odd = encodeItem(item(WHOLE, 3))
  odd[64 + 12] = 1
  t.throws(() => readBack(WHOLE, odd), { code: 'LOG_ITEM', message: /padding/ })
  for (const [g, wrong] of [
    [PLAIN, encodeItem(item(WHOLE, 3))],
    [WHOLE, encodeItem(item(PLAIN, 3))],
  ] as const)
    t.throws(() => readBack(g, wrong), { code: 'LOG_ITEM' }, 'an item of the other size of descriptors')
})

t.test('an unwritten run is the same item with both sizes', async t => {
  const unwritten = flag('DESCRIPTOR', 'UNWRITTEN')
  const bytes = encodeItem(item(WHOLE, 500, unwritten))
  t.strictSame(bytes, encodeItem(item(PLAIN, 500, unwritten)))
  t.equal(bytes.length, 48)
  const found = readBack(WHOLE, bytes) as DescriptorsItem
  t.strictSame(stampOf(found, 499), { crc: 0, random: NO_RANDOM, tag: NO_TAG })
})

t.test('with plain descriptors an item keeps CRCs alone', async t => {
  const bytes = encodeItem(item(PLAIN, 3))
  t.equal(bytes.length, 8 + 40 + 16)
  const found = readBack(PLAIN, bytes) as DescriptorsItem
  t.strictSame(stampOf(found, 2), { crc: 3, random: NO_RANDOM, tag: NO_TAG })
})
