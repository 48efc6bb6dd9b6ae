/** Blocks through the codec: what is read together, and which copy counts. */
import t from 'tap'
import { Hn4Error } from '../../src/base/error.ts'
import { type BlockNumber, blockNumber } from '../../src/base/units.ts'
import type { BlockSource } from '../../src/device/image.ts'
import { PLAIN_CODEC } from '../../src/format/block-codec.ts'
import { flag } from '../../src/format/constants.ts'
import { type BlockPlace, NO_RANDOM } from '../../src/format/descriptor.ts'
import { BlockReader, type PlacedBlock, READ_BLOCKS } from '../../src/reader/blocks.ts'
import { Volume } from '../../src/reader/volume.ts'
import { MemoryImage } from '../support/memory-image.ts'
import { pattern, sample } from '../support/sample.ts'

/** Counts the reads. */
class CountingImage implements BlockSource {
  readonly path = 'memory'
  readonly blockCount: number
  readonly image: MemoryImage
  readonly reads: (readonly [block: number, count: number])[] = []

  constructor(blocks: number) {
    this.blockCount = blocks
    this.image = new MemoryImage(blocks)
  }

  read(block: BlockNumber, count = 1): Uint8Array {
    this.reads.push([block, count])
    return this.image.read(block, count)
  }

  close(): void {}
}

const place = (index: number, flags = 0): BlockPlace => ({ owner: 16n, hint: 1, index, flags, stored: 4096 })

/** Writes block `block` and says what its descriptor says. */
function put(source: CountingImage, block: number, flags = 0): PlacedBlock {
  const where = place(block, flags)
  const { stored, stamp } = PLAIN_CODEC.store(where, NO_RANDOM, pattern(4096, block + 1))
  source.image.write(blockNumber(block), stored)
  return { block: blockNumber(block), descriptor: { ...where, ...stamp } }
}

t.test('neighbours are read together, a bad one hides no other, what is unwritten is not read', async t => {
  const source = new CountingImage(1000)
  const reader = new BlockReader(source, PLAIN_CODEC)
  const blocks = [10, 11, 12, 20, 21, 5].map(block => put(source, block))
  const unwritten = put(source, 22, flag('DESCRIPTOR', 'UNWRITTEN'))
  const list = [...blocks.slice(0, 5), unwritten, ...blocks.slice(5)]
  const contents = [...reader.read(list)]
  t.strictSame(source.reads, [
    [10, 3],
    [20, 2],
    [5, 1],
  ])
  t.strictSame(
    contents.map(([block]) => block),
    list,
  )
  for (const [{ block }, content] of contents)
    t.strictSame(content, block === 22 ? new Uint8Array(4096) : pattern(4096, block + 1))

  source.image.bad.add(11)
  source.image.flip(20, 7)
  const codes = [...reader.read(blocks)].map(([, content]) => (content instanceof Hn4Error ? content.code : null))
  t.strictSame(codes, [null, 'IO', null, 'BLOCK_DATA', null, null])
})

t.test('one read is at most 1 MiB', async t => {
  const source = new CountingImage(1000)
  const reader = new BlockReader(source, PLAIN_CODEC)
  const blocks = Array.from({ length: READ_BLOCKS + 3 }, (_, i) => put(source, 100 + i))
  t.equal([...reader.read(blocks)].filter(([, content]) => content instanceof Uint8Array).length, blocks.length)
  t.strictSame(source.reads, [
    [100, READ_BLOCKS],
    [100 + READ_BLOCKS, 3],
  ])
})

t.test('of metadata any good copy is read and the bad one noted; data has one copy', async t => {
  const { builder } = sample('in place')
  const find = (path: string, index: number, copy: number): number => {
    const volume = builder.open()
    return volume.blocks(volume.lookup(path)).find(index, copy)!.block
  }
  const node = 2 ** 47
  for (const [path, index] of [
    ['/many', 0],
    ['/deep-holes', node],
  ] as const) {
    const [first, second] = [find(path, index, 0), find(path, index, 1)]
    for (const spoil of ['flip', 'bad'] as const) {
      const image = builder.image.copy()
      const open = () => new Volume(image)
      const damage = (block: number) => (spoil === 'flip' ? image.flip(block, 99) : image.bad.add(block))
      damage(second)
      const whole = open()
      const bytes = whole.blocks(whole.lookup(path)).read(index)
      t.equal(whole.core.badCopies.size, 0, 'the second copy is not looked at while the first is good')
      damage(first)
      const lost = open()
      t.throws(() => lost.blocks(lost.lookup(path)).read(index), { code: spoil === 'flip' ? 'BLOCK_DATA' : 'IO' })
      t.equal(lost.core.badCopies.size, 0)
      const other = builder.image.copy()
      if (spoil === 'flip') other.flip(first, 99)
      else other.bad.add(first)
      const half = new Volume(other)
      t.same(half.blocks(half.lookup(path)).read(index), bytes)
      half.blocks(half.lookup(path)).read(index)
      const [noted, ...more] = [...half.core.badCopies.values()]
      t.match(noted, spoil === 'flip' ? { code: 'BLOCK_DATA', detail: { block: first, index } } : { code: 'IO' })
      t.equal(more.length, 0, 'once')
    }
  }
  const image = builder.image.copy()
  image.flip(find('/dir/plain', 3, 0), 5)
  const volume = new Volume(image)
  t.throws(() => volume.blocks(volume.lookup('/dir/plain')).read(3), { code: 'BLOCK_DATA' })
})
