/** A file whose flags, chain and entry disagree is damage for that file alone, as in the engine's forged_tests.rs. */
import t from 'tap'
import { flag } from '../../src/format/constants.ts'
import { encodeSlot } from '../../src/format/slot.ts'
import type { Volume } from '../../src/reader/volume.ts'
import { VolumeBuilder } from '../support/builder.ts'

const bit = (name: 'HAS_ACL' | 'HAS_SEGMENTS' | 'HAS_XATTR'): bigint => BigInt(flag('DATA_CLASS', name))

/** Files `a` (empty, an attribute) and `b`, with `a` changed. */
function volume(change: (builder: VolumeBuilder, a: number) => void): Volume {
  const builder = new VolumeBuilder()
  const a = builder.add(1, 'a', { xattrs: { 'user.one': '1' } })
  builder.add(1, 'b', { content: new Uint8Array(5000) })
  builder.commit()
  change(builder, a)
  builder.commit()
  return builder.open()
}

t.test('HAS_ACL without its record: the file is damage, the others are not', async t => {
  const found = volume((builder, a) => builder.change(a, { data_class: bit('HAS_XATTR') | bit('HAS_ACL') }))
  t.throws(() => found.lookup('/a'), { code: 'EXTENSION', message: /HAS_ACL/ })
  t.equal(found.lookup('/b').slot.anchor.mass, 5000n)
  const walked = [...found.walk()]
  t.strictSame(
    walked.map(({ path, error }) => [path, error?.code ?? null]),
    [
      ['/a', 'EXTENSION'],
      ['/b', null],
    ].sort((x, y) => walked.findIndex(w => w.path === x[0]) - walked.findIndex(w => w.path === y[0])),
  )
})

t.test('flags and records that disagree are damage when the chain is read', async t => {
  for (const flags of [bit('HAS_XATTR') | bit('HAS_SEGMENTS'), bit('HAS_SEGMENTS')]) {
    const found = volume((builder, a) => builder.change(a, { data_class: flags }))
    t.throws(() => found.blocks(found.lookup('/a')).segments, { code: 'EXTENSION' })
  }
})

t.test('an entry leads to the file of its seed and type alone', async t => {
  for (const change of [{ random: 4711 }, { permissions: (1 << 12) | 0o644 }]) {
    const builder = new VolumeBuilder()
    const a = builder.add(1, 'a')
    builder.commit()
    const { place, slot } = builder.open().lookup('/a')
    builder.slot({ page: place.page, slot: place.slot }, encodeSlot({ ...slot.anchor, ...change }, slot.attributes))
    builder.commit()
    t.throws(() => builder.open().lookup('/a'), { code: 'ENTRY', message: new RegExp(`file ${a}`) })
  }
})
