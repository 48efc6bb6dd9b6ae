/** Volumes whose blocks are not plain: read, checked and refused. The codec is that of tests. */
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { descriptorPage, readDescriptor, writeDescriptor } from '../../src/format/descriptor.ts'
import { Volume } from '../../src/reader/volume.ts'
import { checkEverything, readAll } from '../support/check-sample.ts'
import { fsckWith, scrubWith } from '../support/checks.ts'
import { runCommand } from '../support/cli.ts'
import { editPage } from '../support/edit.ts'
import type { MemoryImage } from '../support/memory-image.ts'
import { type Sample, sample } from '../support/sample.ts'
import { XOR, XorCodec } from '../support/xor-codec.ts'

const TOOLS = [
  ['fsck.hn4', fsckWith(XOR)],
  ['hn4 scrub', scrubWith(XOR)],
] as const

async function check(t: Test, image: MemoryImage, which: 0 | 1): Promise<{ exit: number; codes: string[] }> {
  const path = join(t.testdir({}), 'disk.img')
  image.save(path)
  const [tool, command] = TOOLS[which]
  const ran = await runCommand(tool, command, ['--json', path])
  if (ran.stdout === '') throw new Error(ran.stderr)
  const findings = (JSON.parse(ran.stdout) as { findings: { code: string }[] }).findings
  return { exit: ran.exit, codes: findings.map(({ code }) => code) }
}

const open = (image: MemoryImage): Volume => new Volume(image, XOR)

for (const copies of [1, 2] as const) {
  for (const form of ['log', 'in place'] as const) {
    t.test(`${copies} metadata copies, read from the ${form}: every file comes back, nothing in clear`, async t => {
      const made = sample(form, copies, 0xee, XOR)
      const { image, geometry: g } = made.builder
      const volume = open(image)
      t.equal(g.descriptorsPerPage, 63)
      checkEverything(t, volume, made)
      t.equal(volume.core.badCopies.size, 0)
      for (const which of [0, 1] as const) t.strictSame(await check(t, image, which), { exit: 0, codes: [] })

      // Of every file the first block, and of the directories the names: in the clear nowhere in window and area.
      const data = Buffer.concat(image.written.filter(block => block >= g.windowStart).map(block => image.block(block)))
      for (const path of ['/small', '/dir/plain', '/dir/segments', '/dir/scattered', '/holes']) {
        const content = Buffer.from(made.contents.get(path)!.filter(byte => byte !== 0))
        if (data.includes(content.subarray(0, 24))) t.fail(`${path} stands in clear`)
      }
      t.notOk(data.includes('file number 7 with'))
    })
  }
}

/** Where a block is, and its descriptor. */
function find(made: Sample, path: string, index: number, copy = 0) {
  const volume = made.builder.open()
  return volume.blocks(volume.lookup(path)).find(index, copy)!
}

/** Writes other bytes in the place of a block, with their own CRC in the descriptor: what only a key prevents. */
function forge(made: Sample, path: string, index: number, copy = 0): void {
  const { builder } = made
  const { geometry: g } = builder
  const { block, data, descriptor } = find(made, path, index, copy)
  const foreign = new XorCodec(new Uint8Array(16))
  const { stored, stamp } = foreign.store(descriptor, foreign.draw(), new Uint8Array(4096).fill(0x66))
  builder.image.write(block, stored)
  editPage(builder, 'DESCRIPTOR', descriptorPage(g, data), payload =>
    writeDescriptor(g, payload, data, { ...readDescriptor(g, payload, data), ...stamp }),
  )
}

t.test('torn and forged blocks are told apart, by the reader and by scrub', async t => {
  for (const [damage, code] of [
    [(made: Sample) => made.builder.image.flip(find(made, '/dir/plain', 3).block, 77), 'BLOCK_DATA'],
    [(made: Sample) => forge(made, '/dir/plain', 3), 'BLOCK_FORGED'],
  ] as const) {
    const made = sample('in place', 2, 0, XOR)
    damage(made)
    const volume = made.builder.open()
    t.throws(() => readAll(volume, '/dir/plain'), { code, class: 'damage' })
    t.strictSame(await check(t, made.builder.image, 1), { exit: 4, codes: [code.toLowerCase()] })
    t.strictSame(await check(t, made.builder.image, 0), { exit: 0, codes: [] }, 'fsck looks at structure')
  }
})

t.test('a block in the place of another one of the same file is forged', async t => {
  const made = sample('in place', 2, 0, XOR)
  const { image, geometry: g } = made.builder
  const [a, b] = [find(made, '/dir/plain', 3), find(made, '/dir/plain', 4)]
  image.write(a.block, image.block(b.block).slice())
  editPage(made.builder, 'DESCRIPTOR', descriptorPage(g, a.data), payload => {
    const { crc, random, tag } = b.descriptor
    writeDescriptor(g, payload, a.data, { ...readDescriptor(g, payload, a.data), crc, random, tag })
  })
  t.throws(() => readAll(made.builder.open(), '/dir/plain'), { code: 'BLOCK_FORGED', detail: { index: 3 } })
})

t.test('of metadata the other copy is read, and the forged one noted', async t => {
  const made = sample('in place', 2, 0, XOR)
  forge(made, '/many', 0, 0)
  const volume = made.builder.open()
  checkEverything(t, volume, made)
  t.strictSame(
    [...volume.core.badCopies.values()].map(({ code }) => code),
    ['BLOCK_FORGED'],
  )
  forge(made, '/many', 0, 1)
  const errors = [...made.builder.open().walk()].flatMap(({ error }) => error ?? [])
  t.strictSame(
    errors.map(({ code }) => code),
    ['BLOCK_FORGED'],
  )
})

t.test('the last transaction ends with torn data, not with forged data', async t => {
  let isForging = false
  class Forger extends XorCodec {
    override store(...words: Parameters<XorCodec['store']>): ReturnType<XorCodec['store']> {
      const { stored, stamp } = super.store(...words)
      return { stored, stamp: isForging ? { ...stamp, tag: stamp.tag.map(byte => ~byte) } : stamp }
    }
  }
  for (const forged of [false, true]) {
    const made = sample('log', 2, 0, { ...XOR, make: superblock => new Forger(superblock.hash_key) })
    isForging = forged
    made.builder.add(1, 'unproven', { content: new Uint8Array(5000).fill(7) })
    isForging = false
    made.builder.commit(false)
    const volume = made.builder.open()
    t.equal(volume.core.dropped, null)
    const { block } = find(made, '/unproven', 1)
    if (forged) t.throws(() => readAll(volume, '/unproven'), { code: 'BLOCK_FORGED', detail: { index: 0 } })
    else t.same(readAll(volume, '/unproven'), new Uint8Array(5000).fill(7))
    made.builder.image.flip(block, 0)
    t.equal(made.builder.open().core.dropped?.failed[0]?.block, block, 'torn')
  }
})

t.test('without the codec the volume is refused; a plain one is plain with it too', async t => {
  const { builder } = sample('in place', 2, 0, XOR)
  t.throws(() => new Volume(builder.image), { code: 'UNSUPPORTED', message: /descriptors of 64 bytes/ })
  const plain = sample('in place')
  checkEverything(t, open(plain.builder.image), plain)
})
