import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { mkfs } from '../../mkfs/command.ts'
import { Volume } from '../../src/reader/volume.ts'
import { type Ran, runCommand } from '../support/cli.ts'

const run = (words: readonly string[], env: Record<string, string> = {}): Promise<Ran> =>
  runCommand('mkfs.hn4', mkfs, words, { env })
const sum = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')
const MIB = 1024 * 1024

t.test('a volume with label, UUID and size, whose summary is true', async t => {
  const image = join(t.testdir({}), 'disk.img')
  const uuid = '01234567-89ab-cdef-0123-456789abcdef'
  const ran = await run([
    '--json',
    '-L',
    'Sicherung ä',
    '-U',
    uuid,
    '-N',
    '5000',
    '-m',
    'single',
    '-E',
    'stride=3,scale=1',
    image,
    '32M',
  ])
  t.equal(ran.exit, 0, ran.stderr)
  const said = JSON.parse(ran.stdout)
  t.equal(said.schema, 1)
  const volume = Volume.open(image)
  const { geometry: g, superblocks } = volume.core
  t.equal(Buffer.from(superblocks.chosen.label).toString().replace(/\0+$/, ''), 'Sicherung ä')
  t.match(said, {
    uuid,
    block_count: g.blockCount,
    cortex_slots: g.pages.CORTEX * 21,
    metadata_copies: 1,
    stride: 3,
    scale: 1,
  })
  t.ok(g.pages.CORTEX * 21 >= 5000)
  t.equal(statSync(image).size, 32 * MIB)
  volume.close()
})

t.test('the root directory belongs to who calls mkfs, or to whom root_owner names', async t => {
  const folder = t.testdir({})
  const ownerIn = (name: string): readonly number[] => {
    const volume = Volume.open(join(folder, name))
    const { uid, gid } = volume.lookup('/').slot.attributes
    volume.close()
    return [uid, gid]
  }
  const own = await run(['--json', join(folder, 'own.img'), '16M'])
  t.strictSame(ownerIn('own.img'), [process.getuid?.(), process.getgid?.()])
  t.match(JSON.parse(own.stdout), { root_uid: process.getuid?.(), root_gid: process.getgid?.() })
  const other = await run(['-E', 'stride=1,root_owner=1234:4294967294', join(folder, 'other.img'), '16M'])
  t.equal(other.exit, 0, other.stderr)
  t.match(other.stdout, /^Root directory: +of uid 1234, gid 4294967294$/m)
  t.strictSame(ownerIn('other.img'), [1234, 4294967294])
  for (const bad of ['1234', 'ann:users', '-1:0', '0:4294967295']) {
    const refused = await run(['-E', `root_owner=${bad}`, join(folder, 'bad.img'), '16M'])
    t.match(refused, { exit: 16, stderr: /^mkfs\.hn4: -E root_owner: not UID:GID [^\n]+\n$/ })
  }
})

t.test('equal seeds and dates give equal bytes; other seeds do not', async t => {
  const folder = t.testdir({})
  const image = (name: string): string => join(folder, name)
  const env = { SOURCE_DATE_EPOCH: '1700000000' }
  await run(['-q', '--seed', 'c0ffee', image('a'), '16M'], env)
  await run(['-q', '--seed', 'c0ffee', image('b'), '16M'], env)
  await run(['-q', '--seed', 'c0ffef', image('c'), '16M'], env)
  t.equal(sum(image('a')), sum(image('b')))
  t.not(sum(image('a')), sum(image('c')))
})

t.test('a dry run changes nothing and creates nothing', async t => {
  const folder = t.testdir({ 'data.bin': 'x'.repeat(17 * MIB) })
  const before = sum(join(folder, 'data.bin'))
  const ran = await run(['-n', '-f', join(folder, 'data.bin')])
  t.equal(ran.exit, 0)
  t.match(ran.stdout, /dry run/)
  t.equal(sum(join(folder, 'data.bin')), before)
  t.equal((await run(['-n', join(folder, 'new.img'), '1T'])).exit, 0)
  t.notOk(existsSync(join(folder, 'new.img')))
})

t.test('a known signature is refused, named, and overwritten only by force', async t => {
  const folder = t.testdir({})
  const at = (name: string, offset: number, bytes: string): string => {
    const path = join(folder, name)
    const content = Buffer.alloc(17 * MIB)
    content.write(bytes, offset, 'latin1')
    writeFileSync(path, content)
    return path
  }
  const images = [
    [at('ext', 1080, '\x53\xef'), 'ext'],
    [at('xfs', 0, 'XFSB'), 'xfs'],
    [at('btrfs', 65600, '_BHRfS_M'), 'btrfs'],
    [at('gzip', 0, '\x1f\x8b\x08'), 'gzip'],
    [at('zip', 0, 'PK\x03\x04'), 'zip'],
    [at('qcow2', 0, 'QFI\xfb'), 'qcow2'],
    [at('bcachefs', 4120, '\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef'), 'bcachefs'],
    [at('raid', 4096, '\xfc\x4e\x2b\xa9'), 'RAID'],
    [at('gpt', 512, 'EFI PART'), 'GPT'],
    [at('mbr', 510, '\x55\xaa'), 'MBR'],
    [at('hn4-tail', 17 * MIB - 4096, '\x89HN4\r\n\x1a\n'), 'hn4'],
  ] as const
  for (const [path, name] of images) {
    const before = sum(path)
    const ran = await run([path])
    t.equal(ran.exit, 1, name)
    t.match(ran.stderr, name)
    t.match(ran.stderr, /^[^\n]*--force\n$/)
    t.equal(sum(path), before, `${name} is as it was`)
  }
  t.equal((await run(['-q', '-f', images[0][0]])).exit, 0)
  t.equal((await run(['-q', '-F', images[1][0]])).exit, 0)
  t.equal((await run(['-q', images[1][0]])).exit, 1, 'an hn4 volume is refused too')
})

t.test('a locked image is refused, whatever is forced', async t => {
  const image = join(t.testdir({}), 'disk.img')
  await run(['-q', image, '16M'])
  const before = sum(image)
  const holder = spawn('flock', ['-x', image, 'sh', '-c', 'echo held; exec sleep 30'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => holder.kill())
  await once(holder.stdout!, 'data')
  const ran = await run(['-f', image])
  t.equal(ran.exit, 1)
  t.match(ran.stderr, /in use: locked/)
  t.equal(sum(image), before)
})

t.test('bad sizes and options are one clear line, with the minimum', async t => {
  const folder = t.testdir({ 'empty.img': '', directory: {} })
  const image = join(folder, 'new.img')
  const cases: readonly (readonly [string[], number, RegExp])[] = [
    [[image], 1, /no size was given/],
    [[image, '1M'], 1, /the minimum is 16777216 bytes/],
    [['-N', '1000000', image, '16M'], 1, /the minimum is \d+ bytes/],
    [[join(folder, 'empty.img')], 1, /the minimum is 16777216 bytes/],
    [[join(folder, 'directory')], 1, /is a directory/],
    [[image, '16X'], 16, /not a size/],
    [['-b', '8192', image, '16M'], 16, /always 4096/],
    [['-U', 'nonsense', image, '16M'], 16, /not a UUID/],
    [['-L', 'x'.repeat(64), image, '16M'], 16, /64 bytes, at most 63/],
    [['-E', 'stride=0', image, '16M'], 16, /stride/],
    [['-E', 'colour=red', image, '16M'], 16, /colour=red/],
    [['-O', 'encryption', image, '16M'], 16, /unknown feature/],
    [['-O', '^experimental', image, '16M'], 16, /cannot be turned off/],
    [['--seed', 'xyz', image, '16M'], 16, /hexadecimal/],
    [[], 16, /IMAGE/],
  ]
  for (const [words, exit, message] of cases) {
    const ran = await run(words)
    t.equal(ran.exit, exit, `${words}: ${ran.stderr}`)
    t.match(ran.stderr, message)
    t.match(ran.stderr, /^[^\n]+\n$/)
  }
  t.notOk(existsSync(image))
})

t.test('1 TiB in a sparse file takes little room', async t => {
  const image = join(t.testdir({}), 'big.img')
  t.equal((await run(['-q', image, '1T'])).exit, 0)
  const { size, blocks } = statSync(image)
  t.equal(size, 1024 ** 4)
  t.ok(blocks * 512 < 140 * MIB, `${(blocks * 512) / MIB} MiB`)
  truncateSync(image, 0)
})
