/** What the image commands show of a volume of which something is missing. */
import { appendFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { HN4 } from '../../cli/commands.ts'
import { checkpointPlaces } from '../../src/format/geometry.ts'
import { type Ran, runCommand } from '../support/cli.ts'
import { sample } from '../support/sample.ts'

const run = (words: readonly string[]): Promise<Ran> => runCommand('hn4', HN4, words)
const BLOCK = 4096

/** An image that ends `blocks` blocks into its volume. */
function cut(t: Test, blocks: (made: ReturnType<typeof sample>) => number) {
  const made = sample('in place')
  const image = join(t.testdir({}), 'disk.img')
  made.builder.image.save(image)
  truncateSync(image, blocks(made) * BLOCK)
  return { image, made }
}

t.test('without its tail a volume is read whole, what is missing is said, and the code is 4', async t => {
  const { image, made } = cut(t, ({ builder }) => builder.geometry.copyB)
  const said = /^hn4 \w+: the volume has 16777216 bytes, the device only \d+: [^\n]*disk\.img\n/
  const number = String(made.numbers.get('/dir/plain'))
  for (const [words, shown] of [
    [['ls', `${image}:/dir`], /plain\nscattered\n/],
    [['tree', image], /-- plain\n/],
    [['stat', `${image}:/dir/plain`], new RegExp(`Inode:\\s+${number}\n`)],
    [['id', `${image}:/dir/plain`], /^[0-9a-f-]{36}\n$/],
    [['anchor', `${image}:/dir/plain`], /\[match\]/],
    [['log', image], /Checkpoint/],
  ] as const) {
    const ran = await run(words)
    t.match(ran.stderr, said, words[0])
    t.equal(ran.stderr.split('\n').length, 2, 'one line')
    t.match(ran.stdout, shown)
    t.equal(ran.exit, 4, words[0])
    const { errors } = JSON.parse((await run([...words, '--json'])).stdout)
    t.match(errors, [{ code: 'TRUNCATED' }])
  }
  const cat = await run(['cat', `${image}:/dir/plain`])
  t.ok(Buffer.from(cat.stdout, 'latin1').equals(made.contents.get('/dir/plain')!))
  t.equal(cat.exit, 4)
  t.equal((await run(['ls', `${image}:/nope`])).exit, 8)
})

t.test('cat gives what stands before a missing block, and goes on with the next file', async t => {
  const made = sample('in place')
  const image = join(t.testdir({}), 'disk.img')
  const volume = made.builder.open()
  made.builder.image.flip(volume.blocks(volume.lookup('/dir/plain')).find(4)!.block, 5)
  made.builder.image.save(image)
  const cat = await run(['cat', `${image}:/dir/plain`, `${image}:/inline`])
  const expected = [made.contents.get('/dir/plain')!.subarray(0, 4 * BLOCK), made.contents.get('/inline')!]
  t.ok(Buffer.from(cat.stdout, 'latin1').equals(Buffer.concat(expected)))
  t.match(cat.stderr, /: block 4 \(block \d+ of the volume\)/)
  t.equal(cat.exit, 4)
})

t.test('info calls no good superblock mismatched on a shortened image, and says that one is longer', async t => {
  const { image, made } = cut(t, ({ builder }) => builder.geometry.copyB)
  const short = await run(['info', image])
  t.equal(short.exit, 4)
  t.equal(short.stdout.match(/\[MISSING\] behind the end of the device/g)?.length, 2)
  t.equal(short.stdout.match(/^ +[01] .*\[match\]/gm)?.length, 2)
  t.notMatch(short.stdout, /MISMATCH/)
  t.match(short.stdout, /Image size: .* less than the volume/)
  made.builder.image.save(image)
  t.notMatch((await run(['info', image])).stdout, /Image size/)
  appendFileSync(image, 'behind the volume')
  const long = await run(['info', image])
  t.equal(long.exit, 0, long.stderr)
  t.match(long.stdout, /Image size: .* more than the volume: not used\n/)
  t.equal(JSON.parse((await run(['info', '--json', image])).stdout).image_size_bytes, String(4096 * BLOCK + 17))
})

t.test('without checkpoint blocks, or the map of initialised pages, what is in place is shown', async t => {
  for (const kind of ['checkpoints', 'map'] as const) {
    const made = sample('in place')
    const { geometry: g, image: memory } = made.builder
    const places = kind === 'map' ? [g.copyA, g.copyB] : [0, 1].flatMap(slot => checkpointPlaces(g, slot).map(Number))
    for (const block of places) memory.flip(block, 5)
    const image = join(t.testdir({}), `${kind}.img`)
    memory.save(image)
    const ls = await run(['ls', `${image}:/dir`])
    t.equal(ls.stdout, 'clusters\nhard\nplain\nscattered\nsegments\nstrided\n')
    t.match(ls.stderr, kind === 'map' ? /init page 0: no valid copy/ : /no valid checkpoint block/)
    t.equal(ls.exit, 4)
    const info = await run(['info', image])
    t.equal(info.exit, 4)
    t.match(info.stdout, kind === 'map' ? /Log:\s+clean/ : /Log:\s+unknown/)
  }
})
