/**
 * Bad input to the commands that read an image: one clear line, the right exit code, the image as it was.
 * Then images changed at random: whatever the bytes, an answer or an error of ours, and an end.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import { HN4 } from '../cli/commands.ts'
import { fsck } from '../fsck-scrub/command.ts'
import { scrubCommand } from '../fsck-scrub/scrub-command.ts'
import { mkfs } from '../mkfs/command.ts'
import { Hn4Error } from '../src/base/error.ts'
import { PACKAGE_TOP } from '../src/base/package.ts'
import { blockNumber, copyPage } from '../src/base/units.ts'
import { offsetOf } from '../src/format/codec.ts'
import {
  checkpointPlaces,
  copyPages,
  type Geometry,
  regionNumber,
  regionOfPage,
  superblockPlaces,
} from '../src/format/geometry.ts'
import { BLOCK_SIZE, PAGE_PAYLOAD, PAGE_TRAILER } from '../src/format/layout.ts'
import { encodePage } from '../src/format/page.ts'
import { decodeSuperblock, encodeSuperblock } from '../src/format/superblock.ts'
import { Volume } from '../src/reader/volume.ts'
import { type Ran, runCommand } from './support/cli.ts'
import { manifestOf } from './support/engine.ts'
import { MemoryImage } from './support/memory-image.ts'
import { runs } from './support/property.ts'

const GOLDEN = gunzipSync(readFileSync(join(PACKAGE_TOP, 'images/golden-v1.img.gz')))
const sum = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')

const ONE_LINE = /^[^\n]+\n$/
const FEW_LINES = /^([^\n]+\n){1,8}$/
const hn4 = (...words: string[]): Promise<Ran> => runCommand('hn4', HN4, words)
const READERS: readonly (readonly [string, (image: string) => Promise<Ran>])[] = [
  ...['ls', 'cat', 'stat', 'tree', 'anchor', 'blocks'].map(
    name => [name, (image: string) => hn4(name, `${image}:/a/size-29`)] as const,
  ),
  ['info', image => hn4('info', image)],
  ['log', image => hn4('log', image)],
  ['scrub', image => runCommand('hn4 scrub', scrubCommand, [image])],
  ['fsck', image => runCommand('fsck.hn4', fsck, ['-n', image])],
]

t.test('what is no volume: exit code 8 and one line, from every command', async t => {
  const folder = t.testdir({ 'empty.img': '', 'short.img': 'x', 'text.img': 'word '.repeat(10_000), directory: {} })
  writeFileSync(join(folder, 'zero.img'), Buffer.alloc(16 << 20))
  writeFileSync(join(folder, 'foreign.img'), Buffer.alloc(16 << 20).fill('\x53\xef', 1080, 1082, 'latin1'))
  for (const name of ['empty.img', 'short.img', 'text.img', 'zero.img', 'foreign.img', 'directory', 'absent.img']) {
    const image = join(folder, name)
    const before = name.endsWith('.img') && existsSync(image) ? sum(image) : ''
    for (const [command, run] of READERS) {
      const ran = await run(image)
      t.equal(ran.exit, 8, `${command} ${name}: ${ran.exit} ${ran.stdout}${ran.stderr}`)
      t.match(ran.stderr, ONE_LINE, `${command} ${name}`)
      if (command !== 'info') t.equal(ran.stdout, '')
    }
    if (before !== '') t.equal(sum(image), before, `${name} is as it was`)
  }
  t.notOk(existsSync(join(folder, 'absent.img')))
})

t.test('an empty name is no image', async t => {
  for (const run of [
    () => runCommand('fsck.hn4', fsck, ['']),
    () => runCommand('mkfs.hn4', mkfs, ['', '64M']),
    () => hn4('info', ''),
  ]) {
    const ran = await run()
    t.equal(ran.exit, 16)
    t.match(ran.stderr, /^[^\n]*an empty image name[^\n]*\n$/)
  }
})

t.test('a named pipe is no volume, and nobody waits for its writer', async t => {
  const pipe = join(t.testdir({}), 'pipe')
  if (spawnSync('mkfifo', [pipe]).status !== 0) return t.comment('no mkfifo here')
  for (const [command, run] of READERS) {
    const ran = await run(pipe)
    t.equal(ran.exit, 16, command)
    t.match(ran.stderr, /^[^\n]*neither a file nor a block device[^\n]*\n$/, command)
  }
})

t.test('a truncated volume is damage, whole blocks or not; what is missing is a line each', async t => {
  const image = join(t.testdir({}), 'cut.img')
  for (const size of [GOLDEN.length - 1, GOLDEN.length / 2, 4096 * 3, 4096, 4095]) {
    writeFileSync(image, GOLDEN)
    truncateSync(image, size)
    const before = sum(image)
    for (const [command, run] of READERS) {
      const ran = await run(image)
      t.ok(ran.exit === 4 || ran.exit === 8, `${command}, ${size} bytes: ${ran.exit}`)
      t.match(ran.stderr, FEW_LINES, `${command}, ${size} bytes`)
      t.notMatch(ran.stderr, /^ +at |\.[jt]s:\d/m)
    }
    t.equal(sum(image), before)
  }
})

t.test('block descriptors of a size that only another version reads: refused, exit code 8 and one line', async t => {
  const image = join(t.testdir({}), 'other.img')
  for (const size of [64, 0, 31, 4096]) {
    const bytes = Buffer.from(GOLDEN)
    for (const block of superblockPlaces(bytes.length / BLOCK_SIZE)) {
      const at = block * BLOCK_SIZE
      const fields = decodeSuperblock(bytes.subarray(at, at + BLOCK_SIZE))
      bytes.set(encodeSuperblock({ ...fields, descriptor_size: size }), at)
    }
    writeFileSync(image, bytes)
    for (const [command, run] of [...READERS, ['id', () => hn4('id', `${image}:/a`)] as const]) {
      const ran = await run(image)
      t.equal(ran.exit, 8, `${command}: ${ran.exit} ${ran.stdout}${ran.stderr}`)
      t.match(
        ran.stderr,
        new RegExp(`^[^\\n]*: block descriptors of ${size} bytes are not supported[^\\n]*other\\.img\\n$`),
      )
      if (command !== 'info') t.equal(ran.stdout, '')
    }
    t.equal((await runCommand('mkfs.hn4', mkfs, [image])).exit, 1, 'mkfs takes it for a volume')
  }
})

t.test('missing paths and wrong words', async t => {
  const image = join(t.testdir({}), 'disk.img')
  writeFileSync(image, GOLDEN)
  const before = sum(image)
  const cases: readonly (readonly [number, string[]])[] = [
    [8, ['ls', `${image}:/nope`]],
    [8, ['cat', `${image}:/a/nope/deeper`]],
    [8, ['cat', `${image}:/a`]],
    [8, ['cat', `${image}:/a/fifo`]],
    [8, ['stat', `${image}:/a/size-29/below-a-file`]],
    [16, ['tree', `${image}:/${'n'.repeat(256)}`]],
    [8, ['anchor', `${image}:/nope`]],
    [8, ['blocks', `${image}:/nope`]],
    [8, ['cat', `${image}:/a/link-29`]],
    ...['ls', 'cat', 'stat', 'tree', 'anchor', 'blocks', 'info', 'log', 'scrub', 'fsck', 'mkfs'].flatMap(
      name =>
        [
          [16, [name, '--no-such-option', image]],
          [16, [name]],
        ] as [number, string[]][],
    ),
    [16, ['no-such-command']],
  ]
  for (const [exit, words] of cases) {
    const ran = await hn4(...words)
    t.equal(ran.exit, exit, `${words.join(' ')}: ${ran.stderr}`)
    t.match(ran.stderr, ONE_LINE, words.join(' '))
    t.notMatch(ran.stderr, /\bat .*:\d+:\d+/)
  }
  const made = await runCommand('mkfs.hn4', mkfs, [image])
  t.equal(made.exit, 1, 'a volume is not overwritten')
  t.equal(sum(image), before)
})

/** The golden image in memory, sparse. */
function load(): MemoryImage {
  const image = new MemoryImage(GOLDEN.length / BLOCK_SIZE)
  for (let block = 0; block < image.blockCount; block++) {
    const bytes = GOLDEN.subarray(block * BLOCK_SIZE, (block + 1) * BLOCK_SIZE)
    if (bytes.some(byte => byte !== 0)) image.write(blockNumber(block), bytes)
  }
  return image
}

const whole = load()
const { geometry: g, salt } = new Volume(whole).core
const inCopyA = (block: number): boolean => block >= g.copyA && block < g.copyA + copyPages(g)
const PAGES = whole.written.filter(inCopyA)
const SPECIAL = [...superblockPlaces(g.blockCount), ...checkpointPlaces(g, 0), ...checkpointPlaces(g, 1)].map(Number)

/** Reads all that can be read; an error of ours ends it. */
function readAll(image: MemoryImage): void {
  try {
    const volume = new Volume(image)
    for (const item of volume.walk()) {
      if (item.file === null) continue
      try {
        volume.xattrs(item.file)
        if (item.file.slot.type === 'regular' && item.file.slot.anchor.mass < 1n << 24n)
          for (const chunk of volume.readFile(item.file)) chunk.at(0)
      } catch (error) {
        if (!(error instanceof Hn4Error)) throw error
      }
    }
    manifestOf(volume)
  } catch (error) {
    if (!(error instanceof Hn4Error)) throw error
  }
}

/** Byte of a page at which its transaction stands. */
const TXN_AT = PAGE_PAYLOAD + offsetOf(PAGE_TRAILER, 'txn')

/** Computes the checksum of a page of copy A anew and gives copy B the same bytes, as a bug of a writer would. */
function checksum(image: MemoryImage, geometry: Geometry, block: number): void {
  const { region, page } = regionOfPage(geometry, copyPage(block - geometry.copyA))
  const old = image.block(block)
  const txn = new DataView(old.buffer, old.byteOffset).getBigUint64(TXN_AT, true)
  const place = { region: regionNumber(region), page, salt }
  const bytes = encodePage(place, { payload: old.subarray(0, PAGE_PAYLOAD), txn })
  image.write(blockNumber(block), bytes)
  image.write(blockNumber(block - geometry.copyA + geometry.copyB), bytes)
}

const change = fc.record({ at: fc.nat({ max: BLOCK_SIZE - 1 }), value: fc.nat({ max: 255 }) })
const changes = (blocks: readonly number[]) =>
  fc.array(fc.tuple(fc.constantFrom(...blocks), fc.array(change, { minLength: 1, maxLength: 8 })), {
    minLength: 1,
    maxLength: 6,
  })

function apply(image: MemoryImage, list: readonly [number, readonly { at: number; value: number }[]][]): void {
  for (const [block, edits] of list) {
    const bytes = image.block(block).slice()
    for (const { at, value } of edits) bytes[at] = value
    image.write(blockNumber(block), bytes)
  }
}

t.test('random bytes anywhere: the reader answers or refuses', async t => {
  fc.assert(
    fc.property(changes([...whole.written, ...SPECIAL]), list => {
      const image = whole.copy()
      apply(image, list)
      readAll(image)
    }),
    runs(12),
  )
  t.pass()
})

t.test('metadata that is wrong under a right checksum: the reader, fsck and scrub answer or report', async t => {
  const path = join(t.testdir({}), 'disk.img')
  await fc.assert(
    fc.asyncProperty(changes(PAGES), async list => {
      const image = whole.copy()
      apply(image, list)
      for (const [block] of list) checksum(image, g, block)
      readAll(image)
      image.save(path)
      for (const [command, run] of READERS.slice(-2)) {
        const ran = await run(path)
        if (![0, 4, 8].includes(ran.exit)) throw new Error(`${command}: exit ${ran.exit}: ${ran.stderr}`)
      }
    }),
    runs(12),
  )
  t.pass()
})
