import t from 'tap'
import { hex } from '../../src/base/bytes.ts'
import { Hn4Error } from '../../src/base/error.ts'
import { printableBytes } from '../../src/base/printable.ts'
import { blockNumber, copyPage } from '../../src/base/units.ts'
import { descriptorOffset, descriptorPage, readDescriptor } from '../../src/format/descriptor.ts'
import { blockOfData, checkpointPlaces, copyPages, superblockPlaces } from '../../src/format/geometry.ts'
import { Volume } from '../../src/reader/volume.ts'
import { checkEverything, readAll } from '../support/check-sample.ts'
import { pageBlocks, rewritePage } from '../support/edit.ts'
import { MemoryImage } from '../support/memory-image.ts'
import { LONG_TARGET, sample } from '../support/sample.ts'

for (const copies of [1, 2] as const) {
  for (const form of ['log', 'in place'] as const) {
    t.test(`a volume with ${copies} metadata copies, read from the ${form}, gives every file back`, async t => {
      const made = sample(form, copies, 0xee)
      const volume = made.builder.open()
      checkEverything(t, volume, made)
      const plain = volume.lookup('/dir/plain')
      t.strictSame(
        volume.xattrs(plain).map(({ name, value }) => [printableBytes(name), printableBytes(value)]),
        [
          ['user.note', 'hello'],
          ['user.empty', ''],
        ],
      )
      t.equal(volume.lookup('/link', true).slot.number, plain.slot.number)
      t.equal(volume.lookup('dir/../dir/./plain').slot.number, plain.slot.number)
      t.throws(() => volume.lookup('/nope'), { code: 'NOT_FOUND' })
      t.throws(() => volume.lookup('/small/x'), { code: 'NOT_DIRECTORY' })
      t.throws(() => volume.readFile(volume.lookup('/dir')), { code: 'IS_DIRECTORY' })
      t.throws(() => volume.readlink(plain), { code: 'NOT_LINK' })
      t.equal(printableBytes(volume.readlink(volume.lookup('/long-link'))), LONG_TARGET)
      t.ok(
        [...volume.walk()].some(item => item.path === '/many/\\xff\\x0aA'),
        'bytes that are no text are shown escaped',
      )
    })
  }
}

t.test('reading writes nothing', async t => {
  const made = sample('log')
  const before = new Map(made.builder.image.written.map(block => [block, hex(made.builder.image.block(block))]))
  checkEverything(t, made.builder.open(), made)
  t.strictSame(made.builder.image.written, [...before.keys()])
  for (const [block, bytes] of before) if (hex(made.builder.image.block(block)) !== bytes) t.fail(`block ${block}`)
})

t.test('any single superblock, checkpoint or page may be gone: the other copy serves', async t => {
  const made = sample('in place')
  const { geometry: g } = made.builder
  const places = [...superblockPlaces(g.blockCount), ...checkpointPlaces(g, 0), ...checkpointPlaces(g, 1)]
  const pages = made.builder.image.written.filter(block => block >= g.copyA && block < g.copyA + copyPages(g))
  for (const start of [g.copyA, g.copyB]) places.push(...pages.map(block => blockNumber(block - g.copyA + start)))
  for (const place of places) {
    for (const damage of ['flip', 'zero', 'bad'] as const) {
      const image = made.builder.image.copy()
      if (damage === 'flip') image.flip(place, 8 * 100 + 3)
      else if (damage === 'zero') image.zero(place)
      else image.bad.add(place)
      const volume = new Volume(image)
      const broken = ['/dir/plain', '/deep-holes', '/dir/segments'].filter(
        path => Buffer.compare(readAll(volume, path), made.contents.get(path)!) !== 0,
      )
      if (broken.length > 0) t.fail(`block ${place} ${damage}: ${broken}`)
    }
  }
  t.ok(places.length > 20)
})

t.test('a page that both copies lost is an error that names it, never an empty page', async t => {
  const made = sample('in place')
  const { image, geometry: g } = made.builder
  const { place } = made.builder.open().lookup('/small')
  const volume = new Volume(image)
  const page = image.written.find(
    block =>
      block >= g.copyA &&
      block < g.copyB &&
      new Volume(image).core.pages.readCopy('A', copyPage(block - g.copyA)).problem === null,
  )
  t.ok(page)
  for (const start of [g.copyA, g.copyB]) {
    const cortex = start + g.pages.INIT + g.pages.FREE + g.pages.UNIT + g.pages.DESCRIPTOR + place.page
    image.zero(cortex)
  }
  t.throws(() => new Volume(image).lookup('/small'), { code: 'PAGE' })
  volume.close()
})

t.test('flipped data is never returned', async t => {
  const made = sample('in place')
  const volume = made.builder.open()
  for (const path of ['/dir/plain', '/dir/segments', '/dir/scattered', '/dir/clusters', '/holes', '/deep-holes']) {
    const blocks = volume.blocks(volume.lookup(path))
    const index = path.includes('oles') ? 2 : 3
    const found = blocks.find(index)
    if (!found) return t.fail(`${path}: no block ${index}`)
    const image = made.builder.image.copy()
    image.flip(found.block, 12345)
    t.throws(
      () => readAll(new Volume(image), path),
      { code: 'BLOCK_DATA', detail: { block: found.block, index } },
      path,
    )
  }
})

t.test('a directory block with one rotten copy is read from the other, with two it is an error', async t => {
  const made = sample('in place')
  const blocks = made.builder.open().blocks(made.builder.open().lookup('/many'))
  const { image } = made.builder
  image.flip(blocks.find(0, 0)!.block, 999)
  checkEverything(t, made.builder.open(), made)
  image.flip(blocks.find(0, 1)!.block, 999)
  const walked = [...made.builder.open().walk()]
  const errors = walked.filter(item => item.error)
  t.equal(errors.length, 1)
  t.equal(errors[0]?.error?.code, 'BLOCK_DATA')
  t.ok(walked.filter(item => item.path.startsWith('/many/')).length > 200, 'the other leaves are still listed')
})

t.test('the last transaction exists only if it is proven or its data is there', async t => {
  const made = sample('log')
  made.builder.add(1, 'unproven', { content: new Uint8Array(5000).fill(7) })
  made.builder.commit(false)
  const volume = made.builder.open()
  t.equal(volume.core.dropped, null)
  const found = volume.blocks(volume.lookup('/unproven')).find(1)
  made.builder.image.flip(found!.block, 0)
  const after = made.builder.open()
  t.equal(after.core.dropped?.failed[0]?.block, found!.block)
  t.throws(() => after.lookup('/unproven'), { code: 'NOT_FOUND' })
  checkEverything(t, after, made)
})

t.test('a torn last record is the end of the log; a torn one before it is damage', async t => {
  const made = sample('log')
  made.builder.add(1, 'second', {})
  made.builder.commit(false)
  made.builder.add(1, 'third', {})
  made.builder.commit(false)
  const { transactions } = made.builder.open().core
  const { logStart } = made.builder.geometry
  const last = transactions.at(-1)!
  const image = made.builder.image.copy()
  image.flip(logStart + 2 + last.at, 8 * 2000)
  const volume = new Volume(image)
  t.equal(volume.core.transactions.length, transactions.length - 1)
  t.throws(() => volume.lookup('/third'), { code: 'NOT_FOUND' })
  for (const [txn, code] of [
    [1, 'DAMAGED'],
    [2, 'LOG_DAMAGED'],
  ] as const) {
    const damaged = made.builder.image.copy()
    damaged.flip(logStart + 2 + transactions[txn]!.at, 8 * 2000)
    t.throws(() => new Volume(damaged), { code }, `${code}: ${txn === 1 ? 'proven' : 'followed by a later one'}`)
  }
})

t.test('what is no volume, or only the start of one, is one clear error', async t => {
  const made = sample('in place')
  const { image } = made.builder
  t.throws(() => new Volume(new MemoryImage(4096)), { code: 'NOT_HN4' })
  t.throws(() => new Volume(new MemoryImage(0)), { code: 'NOT_HN4' })
  t.throws(() => new Volume(new MemoryImage(3, 0xff)), { code: 'NOT_HN4' })
  const short = new MemoryImage(image.blockCount - 1)
  for (const block of image.written) if (block < short.blockCount) short.write(blockNumber(block), image.block(block))
  t.throws(() => new Volume(short), { code: 'TRUNCATED' })
  const tailOnly = image.copy()
  tailOnly.zero(0)
  tailOnly.zero(1)
  checkEverything(t, new Volume(tailOnly), made)
})

t.test('a live descriptor in a stale page of copy A is found in copy B', async t => {
  const made = sample('in place')
  const { image, geometry: g } = made.builder
  const volume = made.builder.open()
  const found = volume.blocks(volume.lookup('/late')).find(1)!
  const [copyA] = pageBlocks(made.builder, 'DESCRIPTOR', descriptorPage(g, found.data))
  // The page as it was before: valid, but without what its last transaction changed.
  rewritePage(made.builder, copyA!, ({ payload, txn }) => {
    const first = found.data - (found.data % g.descriptorsPerPage)
    for (let data = first; data < first + g.descriptorsPerPage; data++) {
      const at = descriptorOffset(g, data)
      if (BigInt(readDescriptor(g, payload, data).txn) === txn) payload.fill(0, at, at + g.descriptorSize)
    }
    return { payload, txn: txn - 1n }
  })
  t.same(readAll(new Volume(image), '/late'), made.contents.get('/late'))
  t.equal(blockOfData(g, found.data), found.block)
})

t.test('random damage gives errors of ours or right bytes, never anything else', async t => {
  const made = sample('in place')
  const seed = Number(process.env['HN4_SEED'] ?? 20260101)
  t.comment(`HN4_SEED=${seed}`)
  let state = seed
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const written = made.builder.image.written
  for (let round = 0; round < 60; round++) {
    const image = made.builder.image.copy()
    for (let i = 0; i < 40; i++) image.flip(written[random(written.length)]!, random(4096 * 8))
    try {
      const volume = new Volume(image)
      for (const item of volume.walk()) {
        const expected = made.contents.get(item.path)
        if (!item.file || item.file.slot.type !== 'regular' || !expected) continue
        try {
          const bytes = Buffer.concat([...volume.readFile(item.file)])
          if (Buffer.compare(bytes, expected) !== 0) t.fail(`round ${round}: ${item.path} gives wrong bytes`)
        } catch (error) {
          if (!(error instanceof Hn4Error)) throw error
        }
      }
    } catch (error) {
      if (!(error instanceof Hn4Error)) throw error
    }
  }
  t.pass('60 damaged volumes')
})
