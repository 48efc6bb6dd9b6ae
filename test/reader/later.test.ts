/** What is of a later transaction than its page, or than the log's last: as in the engine's later_tests.rs. */
import t from 'tap'
import { blockNumber } from '../../src/base/units.ts'
import { decode, encode } from '../../src/format/codec.ts'
import { constant } from '../../src/format/constants.ts'
import { crc32c } from '../../src/format/crc32c.ts'
import { readDescriptor, writeDescriptor } from '../../src/format/descriptor.ts'
import type { RegionName } from '../../src/format/geometry.ts'
import { EXTENSION_RECORD } from '../../src/format/layout.ts'
import { encodeSlot } from '../../src/format/slot.ts'
import type { Volume } from '../../src/reader/volume.ts'
import { VolumeBuilder } from '../support/builder.ts'
import { editPage, pageBlocks, rewritePage } from '../support/edit.ts'

/** Files `a` (two blocks, an attribute) and `b` (two blocks), all in place. */
function built(): VolumeBuilder {
  const builder = new VolumeBuilder()
  const content = new Uint8Array(5000).fill(7)
  builder.add(1, 'a', { content, xattrs: { 'user.one': '1' } })
  builder.add(1, 'b', { content })
  builder.commit()
  builder.writeInPlace()
  return builder
}

const read = (volume: Volume, path: string): number =>
  [...volume.readFile(volume.lookup(path))].reduce((sum, part) => sum + part.length, 0)

t.test('an anchor is not later than its page', async t => {
  const builder = built()
  const { slot, place } = builder.open().lookup('/a')
  editPage(builder, place.region, place.page, payload =>
    payload.set(encodeSlot({ ...slot.anchor, write_gen: 1000 }, slot.attributes), place.slot * constant('SLOT_SIZE')),
  )
  const volume = builder.open()
  t.throws(() => volume.lookup('/a'), { code: 'ANCHOR', message: /later transaction/ })
  t.equal(read(volume, '/b'), 5000)
})

t.test('a descriptor is not later than its page', async t => {
  const builder = built()
  const { data } = builder.open().blocks(builder.open().lookup('/a')).find(0)!
  editPage(builder, 'DESCRIPTOR', 0, payload => {
    const descriptor = readDescriptor(builder.geometry, payload, data)
    writeDescriptor(builder.geometry, payload, data, { ...descriptor, txn: 1000 })
  })
  const volume = builder.open()
  t.throws(() => read(volume, '/a'), { code: 'BLOCK_DATA', message: /transaction 1000 in a page of/ })
  t.equal(read(volume, '/b'), 5000)
})

t.test('an extension record is not later than its page', async t => {
  const builder = built()
  const unit = Number(builder.open().lookup('/a').slot.attributes.extension)
  editPage(builder, 'EXTENSION', 0, payload => {
    const at = unit * constant('UNIT_SIZE')
    const fields = { ...decode(EXTENSION_RECORD, payload, at), generation: 1000, crc: 0 }
    encode(EXTENSION_RECORD, fields, payload, at)
    const crc = crc32c(payload.subarray(at, at + EXTENSION_RECORD.size + fields.length))
    encode(EXTENSION_RECORD, { ...fields, crc }, payload, at)
  })
  const volume = builder.open()
  t.throws(() => volume.xattrs(volume.lookup('/a')), { code: 'EXTENSION', message: /later transaction/ })
  t.equal(read(volume, '/b'), 5000)
})

for (const region of ['CORTEX', 'DESCRIPTOR', 'EXTENSION'] satisfies RegionName[])
  t.test(`a page of ${region} is not later than the log`, async t => {
    const builder = built()
    const page = region === 'CORTEX' ? builder.open().lookup('/a').place.page : 0
    const [first, second] = pageBlocks(builder, region, page)
    const later = (block: number): void =>
      rewritePage(builder, blockNumber(block), ({ payload, txn }) => ({ payload, txn: txn + 1000n }))
    later(first!)
    const healed = builder.open()
    t.equal(read(healed, '/a'), 5000, 'the other copy is taken')
    later(second!)
    const volume = builder.open()
    const use = (): unknown => [read(volume, '/a'), volume.xattrs(volume.lookup('/a'))]
    t.throws(use, { code: 'PAGE', message: /later transaction/ })
  })
