import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { HN4 } from '../../cli/commands.ts'
import { type Ran, runCommand } from '../support/cli.ts'
import { mountTest } from '../support/mount.ts'
import { LONG_TARGET, sample } from '../support/sample.ts'
import { Scratch } from '../support/scratch.ts'

const run = (words: readonly string[]): Promise<Ran> => runCommand('hn4', HN4, words)
const json = async (words: readonly string[]) => JSON.parse((await run([...words, '--json'])).stdout)

t.test('the image commands show what is in a volume', async t => {
  const folder = t.testdir({})
  for (const form of ['log', 'in place'] as const) {
    const made = sample(form)
    const image = join(folder, `${form}:1.img`)
    made.builder.image.save(image)

    const ls = await run(['ls', `${image}:/dir`])
    t.equal(ls.stdout, 'clusters\nhard\nplain\nscattered\nsegments\nstrided\n')
    const root = await run(['ls', `${image}:/`])
    for (const same of [image, `${image}:`]) t.equal((await run(['ls', same])).stdout, root.stdout)
    const long = await run(['ls', '-l', `${image}:/`])
    t.match(long.stdout, /drwxr-xr-x\s+2\s+1000\s+1000\s+4096 .* dir\n/)
    t.match(long.stdout, ` long-link -> ${LONG_TARGET}\n`)

    const cat = await run(['cat', `${image}:/dir/plain`, `${image}:/link`])
    const twice = Buffer.concat([made.contents.get('/dir/plain')!, made.contents.get('/dir/plain')!])
    t.ok(Buffer.from(cat.stdout, 'latin1').equals(twice))
    t.equal(
      (await json(['cat', `${image}:/inline`])).files[0].content_base64,
      Buffer.from(made.contents.get('/inline')!).toString('base64'),
    )

    const stat = await json(['stat', `${image}:/small`])
    t.match(stat, { schema: 1, type: 'regular', links: 2, size_bytes: '29', mode_text: '-rw-r--r--' })
    const tree = await json(['tree', `${image}:/`])
    t.match(tree, { directories: 2, files: made.contents.size + made.links.size + 5 - 2 })

    const info = await json(['info', image])
    t.match(info, { label: 'built', metadata_copies: 2, files: 422, log: { clean: form === 'in place' } })
    t.equal(info.superblocks.filter((copy: { matches: boolean }) => copy.matches).length, 4)
    const log = await json(['log', image])
    t.equal(log.transactions.length, form === 'in place' ? 0 : 2)
    t.equal((await run(['log', image])).exit, 0)
  }
})

mountTest(t, 'names that nobody can type are given as the listings show them', async t => {
  const scratch = new Scratch(t)
  scratch.mount()
  const raw = (name: string) => Buffer.concat([Buffer.from(`${scratch.dir}/`), Buffer.from(name, 'latin1')])
  writeFileSync(raw('caf\xe9'), 'not UTF-8')
  writeFileSync(raw('two\nlines'), 'a line feed')
  writeFileSync(scratch.path('as\\x41it'), 'as it stands')
  scratch.umount()
  const at = (name: string) => `${scratch.image}:/${name}`
  t.equal((await run(['ls', at('')])).stdout, 'as\\x5cx41it\ncaf\\xe9\ntwo\\x0alines\n')
  t.equal((await run(['cat', at('caf\\xe9')])).stdout, 'not UTF-8')
  t.equal((await run(['cat', at('two\\x0alines')])).stdout, 'a line feed')
  t.equal((await run(['cat', at('as\\x41it')])).stdout, 'as it stands')
  t.equal((await run(['cat', at('as\\x5cx41it')])).stdout, 'as it stands')
  for (const command of ['ls', 'stat', 'tree', 'anchor', 'blocks', 'id'])
    t.equal((await run([command, at('caf\\xe9')])).exit, 0, command)
  t.match(await run(['stat', at('caf\\xe8')]), { exit: 8, stderr: /no such file[^\n]*caf\\xe8\n$/ })
})

t.test('hn4 blocks says which equation leads to each block', async t => {
  const made = sample('in place')
  const image = join(t.testdir({}), 'disk.img')
  made.builder.image.save(image)
  const scattered = await json(['blocks', `${image}:/dir/scattered`])
  t.strictSame(
    scattered.runs.map((r: { index: number; equation: string; shell: number | null }) => [
      r.index,
      r.equation,
      r.shell,
    ]),
    [
      [0, 'anchor', 0],
      [1, 'anchor', 1],
      [2, 'anchor', 0],
      [3, 'area', null],
      [4, 'anchor', 0],
      [5, 'anchor', 1],
      [6, 'anchor', 0],
      [8, 'area', null],
    ],
  )
  const segments = await json(['blocks', `${image}:/dir/segments`])
  t.strictSame(
    segments.runs.map((r: { index: number; count: number; equation: string }) => [r.index, r.count, r.equation]),
    [
      [0, 2, 'anchor'],
      [2, 3, 'segment'],
      [5, 2, 'anchor'],
      [7, 1, 'segment'],
      [8, 4, 'anchor'],
    ],
  )
  t.equal((await json(['blocks', '--each', `${image}:/dir/segments`])).runs.length, 12)
  t.match(await run(['blocks', `${image}:/inline`]), { exit: 0, stdout: /content in the anchor/ })
  t.equal((await json(['blocks', `${image}:/many`])).runs.length, 2, 'both copies of a directory')
})

t.test('hn4 anchor and hn4 id show the identity of a file', async t => {
  const made = sample('in place')
  const image = join(t.testdir({}), 'disk.img')
  made.builder.image.save(image)
  const anchor = await json(['anchor', `${image}:/dir/plain`])
  const { slot, place, buckets } = made.builder.open().lookup('/dir/plain')
  t.equal(anchor.bytes, Buffer.from(slot.bytes.subarray(0, 128)).toString('hex'))
  t.match(anchor.place, { page: place.page, slot: place.slot, h1: buckets.first, h2: buckets.second })
  t.equal(anchor.place.role, place.page === buckets.first ? 'h1' : 'h2')
  t.match((await run(['anchor', `${image}:/dir/plain`])).stdout, /0x20 {4}gravity_center .*\n0x28 {4}mass /)
  const { public_id } = await json(['id', `${image}:/dir/plain`])
  t.equal((await run(['id', image, public_id])).stdout, '/dir/plain\n')
  t.equal((await run(['id', image, 'ffffffff-0000-0000-0000-000000000001'])).exit, 8)
})

t.test('a copy of a directory block that is not good is a note: the other one serves', async t => {
  const made = sample('in place')
  const image = join(t.testdir({}), 'disk.img')
  const volume = made.builder.open()
  made.builder.image.flip(volume.blocks(volume.lookup('/many')).find(0)!.block, 5)
  made.builder.image.save(image)
  const ls = await run(['ls', `${image}:/many`])
  t.equal(ls.exit, 0)
  t.match(ls.stderr, /^hn4 ls: [^\n]*disk\.img: file \d+: block 0 [^\n]*; another copy of the block is good\n$/)
  t.equal((await run(['ls', '-q', `${image}:/many`])).stderr, '')
})

t.test('damage is exit code 4 and what is whole is still shown', async t => {
  const made = sample('in place')
  const image = join(t.testdir({}), 'disk.img')
  const volume = made.builder.open()
  made.builder.image.flip(volume.blocks(volume.lookup('/dir/plain')).find(4)!.block, 5)
  for (const copy of [0, 1]) made.builder.image.flip(volume.blocks(volume.lookup('/many')).find(0, copy)!.block, 5)
  made.builder.image.zero(1)
  made.builder.image.save(image)
  const cat = await run(['cat', `${image}:/dir/plain`])
  t.equal(cat.exit, 4)
  t.match(cat.stderr, /^hn4 cat: file \d+: block 4 [^\n]*: .*disk\.img:\/dir\/plain\n$/)
  const ls = await run(['ls', `${image}:/many`])
  t.equal(ls.exit, 4)
  t.ok(ls.stdout.split('\n').length > 200)
  const info = await run(['info', image])
  t.match(info.stdout, /\[MISMATCH\] empty/)
  t.equal((await run(['ls', `${image}:/nope`])).exit, 8)
  t.equal((await run(['cat', `${image}:/dir`])).exit, 8)
  t.equal((await run(['ls', `${image}.none:/`])).exit, 8)
})
