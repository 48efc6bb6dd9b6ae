/** Paths that are not UTF-8, in every command: the file that was named, no other; shown escaped, whole in JSON. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { HN4 } from '../cli/commands.ts'
import { hostText } from '../src/base/host-text.ts'
import { ownDirectories } from '../src/control/directory.ts'
import { mountAt } from '../src/device/mount-table.ts'
import { addon } from '../src/native/addon.ts'
import { mountTest } from './support/mount.ts'
import { joinRaw, runRaw, SCRIPTS, type Word } from './support/raw-shell.ts'

const raw = (...parts: readonly (string | number)[]): Buffer =>
  Buffer.concat(parts.map(part => (typeof part === 'string' ? Buffer.from(part) : Buffer.of(part))))

const IMAGE = raw('d', 0xff, 'sk.img')
const inImage = (path: Word): Buffer => Buffer.concat([IMAGE, Buffer.from(':'), Buffer.from(path)])
const FOLDER = raw('f', 0xe4, 0xb8)
/** As messages show them. */
const SHOWN = String.raw`d\xffsk.img`
const SHOWN_FOLDER = String.raw`f\xe4\xb8`

/** Commands that take no path of the host. */
const WITHOUT_PATH = ['demo', 'doctor']
const tried = new Set<string>()

/** A working directory whose own name is not UTF-8. */
class Place {
  readonly cwd: Buffer

  constructor(t: Test) {
    this.cwd = joinRaw(t.testdir({}), FOLDER)
    mkdirSync(this.cwd)
  }

  path(name: Word): Buffer {
    return joinRaw(this.cwd, name)
  }

  /** Throws what it says if it does not end with `exit`. */
  hn4(words: readonly Word[], exit = 0): { stdout: Buffer; stderr: string } {
    tried.add(String(words[0]))
    const done = runRaw('hn4', words, { cwd: this.cwd })
    if (done.exit !== exit) throw new Error(`${words[0]}: exit ${done.exit}: ${done.stderr}${done.stdout}`)
    return done
  }

  json(words: readonly Word[]): Record<string, unknown> {
    const [first = '', ...rest] = words
    return JSON.parse(this.hn4([first, '--json', ...rest]).stdout.toString()) as Record<string, unknown>
  }

  /** Names in the folder. */
  get names(): string[] {
    return readdirSync(this.cwd, { encoding: 'latin1' }).sort()
  }
}

t.test('commands on images take the bytes of a path', async t => {
  const place = new Place(t)
  place.hn4(['mkfs', '-q', IMAGE, '64M'])
  t.strictSame(place.names, [IMAGE.toString('latin1')], 'this file, and none of another name')
  for (const name of ['info', 'scrub', 'fsck', 'log', 'trim']) place.hn4([name, IMAGE])
  for (const name of ['ls', 'tree', 'stat', 'anchor', 'blocks', 'id']) place.hn4([name, inImage('/')])
  place.hn4(['tune', '-L', 'renamed', IMAGE])
  t.match(place.hn4(['info', IMAGE]).stdout.toString(), /renamed/)
  t.match(place.hn4(['cat', inImage(raw('/n', 0xfe))], 8).stderr, String.raw`: ${SHOWN}:/n\xfe`)
  t.match(place.hn4(['tune', '-L', raw('a', 0xff), IMAGE], 16).stderr, /label: not UTF-8/)
  t.equal(runRaw(SCRIPTS.fsck, ['-n', IMAGE], { cwd: place.cwd }).exit, 0)
  t.equal(runRaw(SCRIPTS.mkfs, ['-q', '--force', IMAGE], { cwd: place.cwd }).exit, 0)
  const helpers = raw('s', 0xfe)
  mkdirSync(place.path(helpers))
  // A package that others can change is refused to root; either way nothing of another name is made.
  runRaw('hn4', ['install-helpers', '--prefix', helpers], { cwd: place.cwd })
  tried.add('install-helpers')
  t.strictSame(place.names, [IMAGE, helpers].map(name => name.toString('latin1')).sort())
})

t.test('what is wrong with such a path is said of it, and JSON has its bytes', async t => {
  const place = new Place(t)
  const missing = raw('no', 0x80, 'pe')
  t.match(place.hn4(['info', missing], 8).stderr, String.raw`: no\x80pe`)
  const { error } = JSON.parse(place.hn4(['info', '--json', missing], 8).stderr) as { error: Record<string, string> }
  t.match(error, { where: String.raw`no\x80pe`, where_hex: missing.toString('hex') })
  place.hn4(['mkfs', '-q', IMAGE, '64M'])
  t.match(place.json(['mkfs', '--force', IMAGE]), { image_hex: place.path(IMAGE).toString('hex') })
  const text = raw('t', 0xff)
  writeFileSync(place.path(text), 'some text '.repeat(2 << 20))
  t.match(place.hn4(['mkfs', text], 1).stderr, /contains text: .*t\\xff; /)
  // What no glance of ours knows, where blkid is installed: it looks at the same file.
  const romfs = Buffer.alloc(17 << 20)
  romfs.write('-rom1fs-\0\0\0\x40\0\0\0\0label\0', 'latin1')
  writeFileSync(place.path(raw('w', 0xff)), romfs)
  const hasBlkid = ['/sbin/blkid', '/usr/sbin/blkid'].some(path => existsSync(path))
  const what = hasBlkid ? /contains signature romfs .*w\\xff; / : /contains data of an unknown kind.*w\\xff; /
  t.match(place.hn4(['mkfs', raw('w', 0xff)], 1).stderr, what)
})

mountTest(t, 'a mount whose image, directory and log are not UTF-8', async t => {
  const place = new Place(t)
  const [dir, log, name] = [raw('m', 0xff), raw('l', 0xff), raw('n', 0xfd)]
  const at = place.path(dir)
  mkdirSync(at)
  t.teardown(() => {
    while (mountAt(hostText(at)) !== undefined) if (addon().unmountPath(hostText(at), true) !== undefined) break
  })
  place.hn4(['mkfs', '-q', IMAGE, '64M'])
  place.hn4(['mount', '-o', Buffer.concat([Buffer.from('log='), log]), IMAGE, dir])
  t.ok(existsSync(place.path(log)), 'the log is where it was asked for')
  writeFileSync(joinRaw(at, name), 'content')

  t.match(place.json(['status', dir]), {
    image_hex: place.path(IMAGE).toString('hex'),
    mountpoint_hex: at.toString('hex'),
    lines_to_hex: place.path(log).toString('hex'),
  })
  t.match(place.hn4(['status', IMAGE]).stdout.toString(), `${SHOWN_FOLDER}/${SHOWN}`, 'found by the image')
  place.hn4(['trim', dir])
  t.match(place.hn4(['mkfs', '--force', IMAGE], 1).stderr, /in use: mounted at .*m\\xff/)
  t.match(place.hn4(['scrub', IMAGE], 8).stderr, /mounted at .*m\\xff; /)
  t.match(place.hn4(['info', dir], 8).stderr, `${SHOWN} is mounted`)

  const id = place
    .hn4(['id', joinRaw(dir, name)])
    .stdout.toString()
    .trim()
  t.ok(place.hn4(['id', dir, id]).stdout.equals(Buffer.concat([joinRaw(at, name), raw('\n')])), 'its bytes')
  t.match(runRaw('mount.hn4', [IMAGE, dir, '-o', 'remount,ro'], { cwd: place.cwd }), { exit: 0, stderr: '' })
  place.hn4(['umount', IMAGE])
  t.equal(mountAt(hostText(at)), undefined)
  t.equal(place.hn4(['cat', inImage(joinRaw('', name))]).stdout.toString(), 'content', 'named by its bytes')

  t.equal(runRaw('mount.hn4', [IMAGE, dir], { cwd: place.cwd }).exit, 0)
  place.hn4(['umount', dir])
  t.match(place.hn4(['mount', IMAGE, raw('no', 0xff)], 32).stderr, String.raw`: no\xff`)
  t.strictSame(place.names, [IMAGE, dir, log].map(found => found.toString('latin1')).sort())
  const missing = (HN4.commands ?? []).map(command => command.name).filter(found => !tried.has(found))
  t.strictSame(missing.sort(), WITHOUT_PATH, 'every command was tried')
})

t.test('the temporary directory keeps its bytes, and a socket is not made where Node cannot reach it', async t => {
  const named = hostText(raw('/tmp/t', 0xff))
  t.strictSame(ownDirectories(1000, { XDG_RUNTIME_DIR: named, TMPDIR: named }), [])
  t.strictSame(ownDirectories(1000, { XDG_RUNTIME_DIR: named, TMPDIR: '/tmp' }), ['/tmp/hn4-1000'])
  const place = new Place(t)
  const ran = runRaw('hn4', ['info', 'none'], { cwd: place.cwd, env: { TMPDIR: raw('/tmp/t', 0xff) } })
  t.equal(ran.exit, 8)
})
