import { spawnSync } from 'node:child_process'
import { appendFileSync, closeSync, openSync, readFileSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { mountTest } from '../support/mount.ts'
import { hashOf, hn4, runTool, Scratch, toolCommand } from '../support/scratch.ts'

/** Refused by one line that says what is wrong; nothing is mounted and nothing changed. */
function refuses(t: Test, scratch: Scratch, words: readonly string[], line: RegExp, exit = 32): void {
  const before = hashOf(scratch.image)
  const ran = hn4('mount', ...words)
  t.match(ran.stderr, line)
  t.equal(ran.stderr.split('\n').length, 2, 'one line')
  t.notMatch(ran.stderr, /internal error|\.[jt]s:\d|^ +at /m)
  t.equal(ran.stdout, '')
  t.equal(ran.exit, exit)
  t.equal(scratch.mounted, undefined)
  t.equal(hashOf(scratch.image), before)
}

function overwrite(path: string, offset: number, bytes: Uint8Array): void {
  const fd = openSync(path, 'r+')
  writeSync(fd, bytes, 0, bytes.length, offset)
  closeSync(fd)
}

mountTest(t, 'images that are no volume, or not whole, are refused by one line', async t => {
  const scratch = new Scratch(t)
  const good = readFileSync(scratch.image)
  const cases: ReadonlyArray<readonly [() => void, RegExp]> = [
    [() => truncateSync(scratch.image, 0), /not one block/],
    [() => truncateSync(scratch.image, 1000), /not one block/],
    [() => truncateSync(scratch.image, 4096), /./],
    [() => truncateSync(scratch.image, 1 << 20), /./],
    [() => truncateSync(scratch.image, good.length - 4096), /./],
    [() => writeFileSync(scratch.image, Buffer.alloc(1 << 20)), /./],
    [() => writeFileSync(scratch.image, 'a text, and not a volume. '.repeat(10_000)), /./],
    [() => writeFileSync(scratch.image, Buffer.alloc(1 << 20, 0xff)), /./],
  ]
  for (const [spoil, line] of cases) {
    writeFileSync(scratch.image, good)
    spoil()
    refuses(t, scratch, [scratch.image, scratch.dir], line)
    refuses(t, scratch, ['-o', 'ro', scratch.image, scratch.dir], line)
  }
})

mountTest(t, 'a volume whose superblocks are all damaged is refused, one that has one left is not', async t => {
  const scratch = new Scratch(t)
  const blocks = Math.floor((64 << 20) / 4096)
  const damage = (...numbers: number[]): void => {
    for (const block of numbers) overwrite(scratch.image, block * 4096 + 64, Buffer.alloc(32, 0xa5))
  }
  damage(0, 1, blocks - 2)
  scratch.mount()
  writeFileSync(scratch.path('file'), 'written all the same')
  scratch.umount()
  // The mount has made the other three anew.
  damage(1, blocks - 2, blocks - 1)
  scratch.mount()
  t.equal(readFileSync(scratch.path('file'), 'utf8'), 'written all the same')
  scratch.umount()
  damage(0, 1, blocks - 2, blocks - 1)
  refuses(t, scratch, [scratch.image, scratch.dir], /^hn4 mount: [^\n]+\n$/)
})

mountTest(t, 'a longer image mounts; what lies behind the volume stays', async t => {
  const scratch = new Scratch(t)
  appendFileSync(scratch.image, 'behind the volume'.padEnd(8192, '.'))
  scratch.mount()
  writeFileSync(scratch.path('file'), 'inside')
  scratch.umount()
  t.match(
    readFileSync(scratch.image)
      .subarray(64 << 20)
      .toString(),
    /^behind the volume\.+$/,
  )
})

mountTest(t, 'wrong names and kinds are refused by one line', async t => {
  const scratch = new Scratch(t)
  const file = join(scratch.folder, 'file')
  writeFileSync(file, '')
  refuses(t, scratch, [join(scratch.folder, 'absent.img'), scratch.dir], /no such file.*absent\.img\n$/)
  refuses(t, scratch, [scratch.dir, scratch.dir], /is a directory/)
  refuses(t, scratch, ['/dev/null', scratch.dir], /character device/)
  refuses(t, scratch, [scratch.image, join(scratch.folder, 'absent')], /no such file.*absent\n$/)
  refuses(t, scratch, [scratch.image, file], /not a directory/)
  refuses(t, scratch, [scratch.image, ''], /an empty directory name; see hn4 mount --help\n$/, 1)
  refuses(t, scratch, ['', scratch.dir], /an empty image name; see hn4 mount --help\n$/, 1)
  t.match(hn4('umount', ''), { exit: 1, stderr: /an empty directory name/ })
  refuses(t, scratch, [scratch.image], /missing argument DIR; see hn4 mount --help\n$/, 1)
  refuses(t, scratch, ['--nonsense', scratch.image, scratch.dir], /unknown option '--nonsense'/, 1)
})

mountTest(t, 'wrong mount options are refused by one line, before anything is opened', async t => {
  const scratch = new Scratch(t)
  for (const [option, line] of [
    ['nonsense', /unknown mount option 'nonsense'/],
    ['ro=1', /takes no value/],
    ['threads=none', /threads/],
    ['keyfile=/x', /encryption does not exist/],
    ['errors=continue', /read-only/],
    ['constructor', /unknown mount option 'constructor'/],
    ['__proto__=1', /unknown mount option/],
  ] as const) {
    refuses(t, scratch, ['-o', option, scratch.image, scratch.dir], line, 1)
  }
  t.equal(runTool('mount.hn4', [scratch.image, scratch.dir, '-N', '7']).exit, 1)
})

mountTest(t, 'root without the right to mount is told so; the image commands work', async t => {
  const scratch = new Scratch(t)
  const without = ['--bounding-set', '-sys_admin', '--inh-caps', '-sys_admin']
  if (spawnSync('setpriv', [...without, 'true']).status !== 0) return t.comment('no setpriv here')
  const run = (...words: string[]) => {
    const [program, args] = toolCommand('hn4', words)
    return spawnSync('setpriv', [...without, program, ...args], { encoding: 'utf8' })
  }
  const refused = run('mount', scratch.image, scratch.dir)
  t.match(refused.stderr, /^hn4 mount: root without CAP_SYS_ADMIN cannot mount: [^\n]+\n$/)
  t.equal(refused.status, 32)
  t.equal(run('ls', `${scratch.image}:/`).status, 0)
})

mountTest(t, 'damage anywhere in the metadata never ends in a stack trace', async t => {
  const scratch = new Scratch(t)
  scratch.mount()
  for (let i = 0; i < 50; i++) writeFileSync(scratch.path(`file-${i}`), 'x'.repeat(i * 500))
  scratch.umount()
  const good = readFileSync(scratch.image)
  for (const [first, count] of [
    [2, 8],
    [2, 400],
    [0, 700],
  ] as const) {
    writeFileSync(scratch.image, good)
    for (let block = first; block < first + count; block++)
      overwrite(scratch.image, block * 4096 + 100, Buffer.alloc(8, block))
    const ran = hn4('mount', '-o', `log=${join(scratch.folder, 'log')}`, scratch.image, scratch.dir)
    t.notMatch(ran.stderr, /internal error|panicked|\.[jt]s:\d/)
    if (ran.exit === 0) scratch.umount()
    else t.equal(ran.exit, 32)
  }
})
