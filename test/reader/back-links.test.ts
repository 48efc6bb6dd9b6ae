import t from 'tap'
import { PathFinder } from '../../src/reader/back-links.ts'
import { Volume } from '../../src/reader/volume.ts'
import { VolumeBuilder } from '../support/builder.ts'

/** Counts how often each directory was read. */
class Counting extends Volume {
  readonly reads = new Map<number, number>()

  override readDirectory(
    ...[file, onDamage]: Parameters<Volume['readDirectory']>
  ): ReturnType<Volume['readDirectory']> {
    this.reads.set(file.slot.number, (this.reads.get(file.slot.number) ?? 0) + 1)
    return super.readDirectory(file, onDamage)
  }

  get readsAtAll(): number {
    return [...this.reads.values()].reduce((sum, count) => sum + count, 0)
  }
}

const HINT = 3

const find = (finder: PathFinder, number: number): string | null => finder.pathOfNumber(number, number * HINT)

t.test('naming every file of a directory reads it once, also between others', async t => {
  const builder = new VolumeBuilder(4096)
  const directories = ['one', 'two'].map(name => builder.add(1, name, { type: 'directory' }))
  const files = directories.map(directory =>
    Array.from({ length: 100 }, (_, i) => builder.add(directory, `file ${i}`, {})),
  )
  builder.commit()
  const volume = new Counting(builder.image)
  const finder = new PathFinder(volume)
  for (let i = 0; i < 100; i++) {
    t.equal(find(finder, files[0]?.[i] ?? 0), `/one/file ${i}`)
    t.equal(find(finder, files[1]?.[i] ?? 0), `/two/file ${i}`)
  }
  t.strictSame([...volume.reads.values()], [1, 1, 1], 'the root and both')
})

t.test('a file that no entry names costs no more than one that has a path', async t => {
  const builder = new VolumeBuilder(4096)
  const directory = builder.add(1, 'a', { type: 'directory' })
  const lost = Array.from({ length: 50 }, (_, i) => builder.add(directory, `lost ${i}`, {}))
  const inner = builder.add(directory, 'inner', { type: 'directory' })
  const below = Array.from({ length: 50 }, (_, i) => builder.add(inner, `file ${i}`, {}))
  for (let i = 0; i < lost.length; i++) builder.forget(directory, `lost ${i}`)
  builder.forget(directory, 'inner')
  builder.commit()
  const volume = new Counting(builder.image)
  const finder = new PathFinder(volume)
  for (const number of [...lost, ...below]) t.equal(find(finder, number), null)
  t.ok(volume.readsAtAll <= 3, `${volume.readsAtAll} directories read`)
})

t.test('parents that form a circle have no path, and end', async t => {
  const builder = new VolumeBuilder(4096)
  const one = builder.add(1, 'one', { type: 'directory' })
  const two = builder.add(one, 'two', { type: 'directory' })
  const file = builder.add(two, 'file', {})
  builder.change(one, {}, { parent_number: BigInt(two), parent_hint: two * HINT })
  builder.commit()
  const volume = new Counting(builder.image)
  const finder = new PathFinder(volume)
  for (let i = 0; i < 20; i++) for (const number of [one, two, file]) t.equal(find(finder, number), null)
  t.ok(volume.readsAtAll <= 3, `${volume.readsAtAll} directories read`)
})

t.test('memory and reading have a limit: beyond it there is no path, and no work', async t => {
  const builder = new VolumeBuilder(4096)
  const directories = Array.from({ length: 10 }, (_, i) => builder.add(1, `d${i}`, { type: 'directory' }))
  const files = directories.map(directory => builder.add(directory, 'file', {}))
  builder.commit()
  const few = new Counting(builder.image)
  const forgetful = new PathFinder(few, { namesKept: 12 })
  for (let round = 0; round < 2; round++)
    for (const [i, number] of files.entries()) t.equal(find(forgetful, number), `/d${i}/file`)
  t.ok(few.readsAtAll > 11, 'the case happened: some were forgotten and read again')
  const volume = new Counting(builder.image)
  const finder = new PathFinder(volume, { entriesRead: 20 })
  const found = files.map(number => find(finder, number))
  t.equal(found[0], '/d0/file')
  t.equal(found.at(-1), null)
  const before = volume.readsAtAll
  for (let i = 0; i < 20; i++) for (const number of files) find(finder, number)
  t.ok(volume.readsAtAll <= before + 1, 'nothing is read any more')
})

t.test('the path of a file deep down is found without recursion, and remembered on the way', async t => {
  const builder = new VolumeBuilder(4096, { copies: 1, slots: 2000 })
  let parent = 1
  const numbers: number[] = []
  for (let depth = 0; depth < 600; depth++) {
    parent = builder.add(parent, 'd', { type: 'directory' })
    numbers.push(parent)
  }
  builder.commit()
  const volume = new Counting(builder.image)
  const finder = new PathFinder(volume)
  t.equal(find(finder, parent), '/d'.repeat(600))
  for (const [depth, number] of numbers.entries()) t.equal(find(finder, number), '/d'.repeat(depth + 1))
  t.equal(volume.readsAtAll, 600)
})

/** Directories a, b/deep and files that lost the name in the directory they say. */
function built() {
  const builder = new VolumeBuilder(4096)
  const a = builder.add(1, 'a', { type: 'directory' })
  const b = builder.add(1, 'b', { type: 'directory' })
  const deep = builder.add(b, 'deep', { type: 'directory' })
  const [stray, kept, gone, homeless] = [
    builder.add(a, 'stray'),
    builder.add(a, 'kept'),
    builder.add(a, 'gone'),
    builder.add(a, 'homeless'),
  ] as const
  builder.link(deep, 'other', stray)
  builder.link(b, 'second', kept)
  builder.link(b, 'last', homeless)
  builder.forget(a, 'stray')
  builder.forget(a, 'gone')
  builder.forget(a, 'homeless')
  builder.change(stray, {}, { nlink: 1 })
  // A directory that does not exist any more.
  builder.change(homeless, {}, { nlink: 1, parent_number: 9999n, parent_hint: 5 })
  builder.commit()
  return { volume: builder.open(), numbers: { stray, kept, gone, homeless } }
}

t.test('a file is named by the directory that it says, else by any that has a name of it', async t => {
  const { volume, numbers } = built()
  const paths = new PathFinder(volume)
  const path = (number: number) => {
    const place = [...volume.walk()].find(({ file }) => file?.slot.number === number)
    return place?.file ? paths.pathOf(place.file) : null
  }
  t.equal(path(numbers.kept), '/a/kept')
  t.equal(path(numbers.stray), '/b/deep/other')
  t.equal(path(numbers.homeless), '/b/last')
  t.equal(path(numbers.gone), null, 'no name leads to it')
})

t.test('the tree is walked once, however many files are asked for', async t => {
  const { volume, numbers } = built()
  const files = [...volume.walk()].flatMap(({ file }) => (file ? [file] : []))
  let walks = 0
  const walk = volume.walk.bind(volume)
  volume.walk = (...args: Parameters<typeof walk>) => {
    walks++
    return walk(...args)
  }
  const paths = new PathFinder(volume)
  for (const file of files) t.not(paths.pathOf(file), null)
  t.equal(walks, 1)
  t.ok(
    files.some(({ slot }) => slot.number === numbers.stray),
    'the case happened',
  )
})
