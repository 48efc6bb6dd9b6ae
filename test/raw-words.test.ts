/** Inputs that used to be answered in raw words, or by a stack trace: each is one line that says what it is. */
import { spawnSync } from 'node:child_process'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { HN4 } from '../cli/commands.ts'
import { PACKAGE_TOP } from '../src/base/package.ts'
import { openingError } from '../src/mount/opening.ts'
import { runCommand } from './support/cli.ts'
import { mountTest } from './support/mount.ts'
import { hn4 as inProcess, Scratch } from './support/scratch.ts'

const hn4 = (...words: string[]) => runCommand('hn4', HN4, words)

t.test('a dangling link, a terminal and a compressed image are named', async t => {
  const folder = t.testdir({})
  const link = join(folder, 'link')
  symlinkSync('/nowhere/disk.img', link)
  for (const words of [
    ['info', link],
    ['scrub', link],
    ['fsck', link],
    ['mkfs', link, '16M'],
    ['mount', link, folder],
  ])
    t.match(
      (await hn4(...words)).stderr,
      /: a symbolic link to \/nowhere\/disk\.img, which is not there: [^\n]*\n$/,
      words.join(' '),
    )
  for (const words of [
    ['info', '/dev/tty'],
    ['scrub', '/dev/null'],
    ['mkfs', '/dev/tty', '16M'],
    ['mount', '/dev/tty', folder],
  ])
    t.match(
      (await hn4(...words)).stderr,
      /: a terminal or another character device, neither a file nor [^\n]*\n$/,
      words.join(' '),
    )
  const gzipped = join(folder, 'disk.img.gz')
  writeFileSync(gzipped, gzipSync(Buffer.from('x'.repeat(99_999))))
  for (const name of ['info', 'scrub', 'ls']) {
    const ran = await hn4(name, gzipped)
    t.equal(ran.exit, 8)
    t.match(ran.stderr, /not an hn4 volume: no superblock at its start or end; it holds gzip data: /)
  }
})

t.test('scrub start and its kin are answered by what this version has', async t => {
  for (const verb of ['start', 'status']) {
    const ran = await hn4('scrub', verb, 'disk.img')
    t.equal(ran.exit, 16)
    t.match(
      ran.stderr,
      new RegExp(`^hn4 scrub: ${verb}: in this version scrub runs to its end, in front: hn4 scrub IMAGE`),
    )
  }
  t.match((await hn4('scrub', 'one.img', 'two.img')).stderr, /one argument too many: 'two.img'/)
})

t.test('too few descriptors for a start are one line, not a stack trace', async t => {
  const script = 'ulimit -n "$1"; exec env -u NODE_OPTIONS "$2" "$3" doctor'
  const main = join(PACKAGE_TOP, 'dist/cli/main.js')
  // What Node itself needs before it opens ours is its own matter.
  const limits = ['22', '26', '30']
  const said = limits.map(limit =>
    spawnSync('sh', ['-c', script, 'sh', limit, process.execPath, main], { encoding: 'utf8' }),
  )
  const ours = said.filter(
    ran => ran.stderr === 'hn4: too many open files for a start; raise the limit: ulimit -n 256\n',
  )
  t.ok(ours.length > 0, 'the case happened')
  for (const ran of ours) t.equal(ran.status, 8)
  for (const ran of said) t.notMatch(ran.stderr, /^ {4}at .*dist\//m)
})

t.test('why a volume could not be opened comes with what to do', async t => {
  const image = join(t.testdir({}), 'disk.img')
  for (const cause of ['No space left on device', 'Disk quota exceeded', 'File too large']) {
    const { hint } = openingError(
      { code: 'Io', text: `write of 4096 bytes at offset 8192: ${cause} (os error 1)` },
      image,
    ).detail
    t.match(hint, /free space where the image lies, or mount it with -o ro/)
  }
  t.equal(
    openingError({ code: 'ReadOnly', text: '/dev/loop0 is a read-only device' }, image).detail.hint,
    'mount it with -o ro',
  )
  writeFileSync(image, gzipSync('x'))
  t.match(
    openingError({ code: 'InvalidArgument', text: 'not an hn4 volume' }, image).message,
    /not an hn4 volume; it holds gzip data/,
  )
})

t.test('hn4 help answers as --help does; the help of hn4 has the exit codes of both tables', async t => {
  t.strictSame(await hn4('help'), await hn4('--help'))
  t.strictSame(await hn4('help', 'mount'), await hn4('mount', '--help'))
  t.match(await hn4('help', 'nonsense'), { exit: 16, stderr: /no such command: 'nonsense'/ })
  t.match((await hn4('help')).stdout, /^Exit codes of mount, umount:\n {2}0 /m)
})

t.test('info -q prints nothing; its exit code says whether it is a volume', async t => {
  const image = join(t.testdir({ text: 'a text' }), 'disk.img')
  await hn4('mkfs', '-q', image, '16M')
  t.strictSame(await hn4('info', '-q', image), { exit: 0, stdout: '', stderr: '' })
  t.match(await hn4('info', '-q', join(image, '../text')), { exit: 8, stdout: '', stderr: /not an hn4 volume/ })
})

mountTest(t, 'a mountpoint given for an image names the image; mount takes -r and -t hn4', async t => {
  const scratch = new Scratch(t)
  t.match(inProcess('mount', '-t', 'ext4', scratch.image, scratch.dir), { exit: 1, stderr: /the type is hn4/ })
  scratch.mount('-r', '-t', 'hn4')
  t.ok(scratch.mounted?.options.includes('ro'))
  for (const name of ['scrub', 'fsck', 'info']) {
    const ran = inProcess(name, scratch.dir)
    t.equal(ran.exit, 8)
    t.match(ran.stderr, `is where ${scratch.image} is mounted: unmount it, and name the image`)
  }
  scratch.umount()
})
