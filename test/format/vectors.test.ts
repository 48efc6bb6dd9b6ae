import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { fromHex, hex } from '../../src/base/bytes.ts'
import { PACKAGE_TOP } from '../../src/base/package.ts'
import { decode } from '../../src/format/codec.ts'
import { cortexBuckets } from '../../src/format/cortex.ts'
import { NO_RANDOM, NO_TAG, readDescriptor } from '../../src/format/descriptor.ts'
import { nameHash } from '../../src/format/directory.ts'
import { DESCRIPTOR } from '../../src/format/layout.ts'
import { encodeItem } from '../../src/format/log-item.ts'
import { decodePage, encodePage } from '../../src/format/page.ts'
import { planGeometry } from '../../src/format/plan.ts'
import { decodeRecord, encodeRecord, RecordSum, readRecordHeader } from '../../src/format/record.ts'
import { readItems } from '../../src/format/record-items.ts'
import { siphash24, sipKey } from '../../src/format/siphash.ts'
import { encodeSlot, Slot, slotChecksumProblem } from '../../src/format/slot.ts'
import { decodeSegment } from '../../src/format/trajectory.ts'

type Plain = Record<string, string | number>
const read = (name: string) => JSON.parse(readFileSync(join(PACKAGE_TOP, 'test/vectors', name), 'utf8'))
const plain = (fields: object): Plain =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? hex(value) : typeof value === 'bigint' ? value.toString() : value,
    ]),
  )

t.test('the anchors of the vectors are read as their fields say', async t => {
  const file = read('anchor.json') as {
    hash_key: string
    cortex_pages: number
    slots: { title: string; bytes: string; anchor: Plain; attributes: Plain; h1: number; h2: number }[]
    names: { directory: number; name: string; hash: string }[]
    siphash: { bytes: string; hash: string }[]
  }
  const key = sipKey(fromHex(file.hash_key)!)
  for (const { title, bytes, anchor, attributes, h1, h2 } of file.slots) {
    const slot = new Slot(fromHex(bytes)!)
    t.equal(slotChecksumProblem(slot.bytes), null, title)
    const { checksum, ...fields } = slot.anchor
    const { crc, ...rest } = slot.attributes
    t.strictSame({ ...plain(fields), checksum: 0 }, { ...anchor })
    t.strictSame({ ...plain(rest), crc: 0 }, { ...attributes })
    t.equal(hex(encodeSlot(slot.anchor, slot.attributes)), bytes)
    t.strictSame(cortexBuckets(key, slot.number, slot.anchor.hint, file.cortex_pages), { first: h1, second: h2 })
  }
  for (const { directory, name, hash } of file.names) t.equal(nameHash(key, directory, fromHex(name)!).toString(), hash)
  for (const { bytes, hash } of file.siphash) t.equal(siphash24(key, fromHex(bytes)!).toString(), hash)
})

t.test('the pages of the vectors verify, and no flipped bit passes', async t => {
  const file = read('page.json') as {
    pages: { title: string; region: number; page: number; txn: number; salt: string; bytes: string }[]
    descriptor: { data: number; fields: Plain }
    segment: { bytes: string } & Plain
  }
  for (const { title, region, page, txn, salt, bytes } of file.pages) {
    const block = fromHex(bytes)!
    const place = { region, page, salt: fromHex(salt)! }
    const decoded = decodePage(place, block)
    if (typeof decoded === 'string') return t.fail(`${title}: ${decoded}`)
    t.equal(decoded.txn, BigInt(txn))
    t.strictSame(decoded.payload, block.subarray(0, 4032))
    t.equal(hex(encodePage(place, decoded)), bytes)
    t.equal(decodePage({ ...place, page: page + 1 }, block), 'page of another place')
    t.equal(decodePage({ ...place, salt: new Uint8Array(16) }, block), 'page of another volume')
    for (let bit = 0; bit < block.length * 8; bit += 5) {
      const damaged = block.slice()
      damaged[bit >> 3]! ^= 1 << (bit & 7)
      if (typeof decodePage(place, damaged) !== 'string') t.fail(`bit ${bit}`)
    }
  }
  const descriptors = fromHex(file.pages[0]!.bytes)!
  const table = planGeometry(16384)
  const { random, tag, ...described } = readDescriptor(table, descriptors, file.descriptor.data)
  t.strictSame(plain(described), file.descriptor.fields)
  t.strictSame([random, tag], [NO_RANDOM, NO_TAG])
  for (let data = 126; data < 252; data++) {
    t.strictSame(readDescriptor(table, descriptors, data), {
      ...decode(DESCRIPTOR, descriptors, (data % 126) * DESCRIPTOR.size),
      random: NO_RANDOM,
      tag: NO_TAG,
    })
  }
  const { bytes, ...segment } = file.segment
  t.strictSame({ ...decodeSegment(fromHex(bytes)!, 0) }, segment)
})

t.test('the record of the vectors is read item by item', async t => {
  const file = read('record.json') as { fields: Plain; items: { kind: string; bytes: string }[]; bytes: string }
  const record = fromHex(file.bytes)!
  const salt = fromHex(String(file.fields['salt']))!
  const header = readRecordHeader(record, salt, planGeometry(16384))
  if (header === null) return t.fail('no header')
  const sum = new RecordSum()
  for (let at = 0; at < record.length; at += 4096) sum.add(record.subarray(at, at + 4096))
  t.equal(sum.value, header.crc)
  const items = decodeRecord(header, record, planGeometry(16384))
  if (typeof items === 'string') return t.fail(items)
  t.strictSame(
    items.map(item => ({ kind: item.kind, bytes: hex(encodeItem(item)) })),
    file.items,
  )
  t.equal(hex(encodeRecord(header, items)), file.bytes)
  const cut = () => readItems(record, header.txn, header.length - 8, header.items, planGeometry(16384))
  t.throws(cut, { code: 'LOG_ITEM' })
  t.match(decodeRecord({ ...header, items: header.items + 1 }, record, planGeometry(16384)), /^log: transaction/)
  for (const bit of [7, header.length * 8 - 1, header.length * 8, record.length * 8 - 1]) {
    const damaged = record.slice()
    damaged[bit >> 3]! ^= 1 << (bit & 7)
    t.equal(decodeRecord(header, damaged, planGeometry(16384)), 'checksum')
  }
  const behind = record.slice()
  behind[header.length] = 1
  const summed = new RecordSum()
  summed.add(behind)
  t.match(decodeRecord({ ...header, crc: summed.value }, behind, planGeometry(16384)), /behind the last item/)
})
