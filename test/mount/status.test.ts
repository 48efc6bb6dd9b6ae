import { spawnSync } from 'node:child_process'
import {
  closeSync,
  copyFileSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ownDirectories, socketPath } from '../../src/control/directory.ts'
import { isAlive } from '../../src/mount/processes.ts'
import { userTest } from '../support/as-user.ts'
import { mountTest } from '../support/mount.ts'
import { codeOf, eventually, hn4, Scratch, toolCommand } from '../support/scratch.ts'

type Answer = Readonly<Record<string, unknown>>

/** The answer of hn4 status --json. */
function statusOf(path: string): Answer {
  const ran = hn4('status', '--json', path)
  if (ran.exit !== 0) throw new Error(`status: exit ${ran.exit}: ${ran.stderr}`)
  return JSON.parse(ran.stdout) as Answer
}

function socketOf(scratch: Scratch): string {
  const [directory = ''] = ownDirectories(process.getuid?.() ?? -1)
  return socketPath(directory, scratch.mounted?.device ?? '')
}

mountTest(t, 'hn4 status shows a mount that writes; its socket is for its user and goes with the mount', async t => {
  const scratch = new Scratch(t)
  const log = join(scratch.folder, 'log')
  const daemon = scratch.mount('-o', `log=${log}`)
  writeFileSync(scratch.path('file'), Buffer.alloc(1 << 20, 1), { flush: true })
  const found = statusOf(scratch.dir)
  t.match(found, {
    schema: 1,
    state: 'writing',
    why: null,
    mount_read_only: false,
    image: scratch.image,
    mountpoint: scratch.dir,
    device: scratch.mounted?.device,
    pid: daemon.pid,
    transport: /^(\/dev\/fuse; not io_uring: |io_uring, \d+ threads$)/,
    lines_to: log,
    lines: 0,
    last_line: null,
  })
  t.ok((found.log_blocks_used as number) > 0 && (found.log_blocks_used as number) < (found.log_blocks as number))
  t.ok((found.blocks as number) - (found.blocks_free as number) >= 256)
  t.ok((found.files_free as number) < (found.files as number))
  const text = hn4('status', scratch.image)
  t.match(text, { exit: 0, stdout: /^State: +writing\n(.*\n)*Last trouble: +none\n$/ }, 'by the name of the image')
  const socket = socketOf(scratch)
  t.equal(lstatSync(socket).mode & 0o7777, 0o600)
  t.equal(lstatSync(join(socket, '..')).mode & 0o7777, 0o700)
  scratch.umount()
  t.equal(
    codeOf(() => lstatSync(socket)),
    'ENOENT',
  )
})

mountTest(t, 'a read-only mount says so and why; where lines go is named where it is not the system log', async t => {
  const scratch = new Scratch(t)
  const ran = hn4('mount', '-v', '-o', 'ro', scratch.image, scratch.dir)
  const found = statusOf(scratch.dir)
  t.match(found, { state: 'read-only', why: /-o ro/, mount_read_only: true })
  const where =
    found.lines_to === 'system log' ? '' : `no system log here: what goes wrong is said in ${found.lines_to}\n`
  t.strictSame(ran, { exit: 0, stdout: `${where}${scratch.image} mounted on ${scratch.dir}\n`, stderr: '' })
  scratch.umount()
})

mountTest(t, 'a volume that stopped writing says so, why, and what its last line was', async t => {
  if (process.getuid?.() !== 0) return t.comment('needs root for a tmpfs')
  const scratch = new Scratch(t, { hostMiB: 20 })
  scratch.mount()
  const code = codeOf(() => {
    const fd = openSync(scratch.path('file'), 'wx')
    try {
      for (let i = 0; i < 40; i++) {
        writeSync(fd, Buffer.alloc(1 << 20, 1))
        fsyncSync(fd)
      }
    } finally {
      closeSync(fd)
    }
  })
  t.equal(code, 'EIO', 'the case happened')
  const found = statusOf(scratch.dir)
  t.match(found, {
    state: 'stopped',
    why: /No space left/,
    lines: 1,
    last_line: /^write failed, the volume is now read-only/,
  })
  t.match(found.last_line_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  t.match(hn4('status', scratch.dir).stdout, /^State: +stopped writing, reads go on: .*No space left/)
  // It was said in the system's log, or, where there is none, in one that is named.
  const place = found.lines_to as string
  if (place !== 'system log') {
    t.equal(place, join(ownDirectories(0)[0] ?? '', 'hn4.log'))
    t.match(readFileSync(place, 'utf8'), `: ${scratch.image}: write failed, the volume is now read-only`)
    t.match(hn4('doctor').stdout, place)
  }
  t.equal(hn4('umount', scratch.dir).exit, 32)
})

mountTest(t, 'two mounts of equal volumes are told apart', async t => {
  const scratch = new Scratch(t)
  const [image, dir] = [join(scratch.folder, 'copy.img'), join(scratch.folder, 'other')]
  copyFileSync(scratch.image, image)
  mkdirSync(dir)
  const daemon = scratch.mount()
  t.equal(hn4('mount', image, dir).exit, 0)
  try {
    t.match(statusOf(scratch.dir), { pid: daemon.pid, image: scratch.image })
    const other = statusOf(dir)
    t.match(other, { image, mountpoint: dir })
    t.not(other.pid, daemon.pid)
    scratch.umount()
    t.equal(statusOf(dir).pid, other.pid)
  } finally {
    t.equal(hn4('umount', dir).exit, 0)
  }
})

mountTest(t, 'after kill -9 the daemon has ended, and the next mount takes the place of its socket', async t => {
  const scratch = new Scratch(t)
  const daemon = scratch.mount()
  const socket = socketOf(scratch)
  process.kill(daemon.pid, 'SIGKILL')
  t.ok(await eventually(() => !isAlive(daemon)))
  t.ok(lstatSync(socket).isSocket(), 'the case happened')
  const ran = hn4('status', scratch.dir)
  t.match(ran, { exit: 8, stdout: '', stderr: /^hn4 status: the daemon has ended: [^\n]*\n$/ })
  const next = scratch.mount()
  t.match(statusOf(scratch.dir), { state: 'writing', pid: next.pid })
  scratch.umount()
})

t.test('what is not mounted, or not ours, is one line and a code', async t => {
  const folder = t.testdir({ empty: {} })
  for (const [path, exit] of [
    [join(folder, 'empty'), 8],
    [join(folder, 'absent'), 8],
    ['/proc', 16],
  ] as const)
    t.match(hn4('status', path), { exit, stdout: '', stderr: /^hn4 status: [^\n]*\n$/ }, path)
})

userTest(
  t,
  'a user asks about their own mount; without a socket the mount works, and says what does not',
  `
mkfs -q disk.img 64M
mkdir -m 755 mnt temporary temporary/other temporary/other/hn4-$(id -u)
export TMPDIR=$FOLDER/temporary
hn4 mount -q disk.img mnt
hn4 status --json mnt | grep -c '"state": "writing"'
XDG_RUNTIME_DIR=/absent hn4 status --json mnt | grep -c '"state": "writing"'
stat -c '%U %a' $TMPDIR/hn4-$(id -u)
hn4 umount mnt
ls $TMPDIR/hn4-$(id -u)
export TMPDIR=$FOLDER/temporary/other
hn4 mount -q disk.img mnt
code hn4 status mnt
hn4 umount mnt
`,
  (t, ran) => {
    t.equal(ran.stdout, '1\n1\nnobody 700\nexit 8\n', ran.stderr)
    const lines = ran.stderr.trim().split('\n')
    t.equal(lines.length, 2, ran.stderr)
    t.match(lines[0], /^hn4 mount: no control socket, hn4 status will not work: open to others/)
    t.match(lines[1], /^hn4 status: no control socket: /)
  },
)

mountTest(t, 'root’s mount is closed to others, who are told whose it is', async t => {
  if (process.getuid?.() !== 0) return t.comment('only root can become another user')
  const asNobody = (words: readonly string[]) =>
    spawnSync('setpriv', ['--reuid=65534', '--clear-groups', ...words], { encoding: 'utf8' })
  const scratch = new Scratch(t)
  scratch.mount()
  t.not(asNobody(['ls', socketOf(scratch)]).status, 0)
  const [program, words] = toolCommand('hn4', ['status', scratch.dir])
  if (asNobody([program, ...words.slice(0, -2), '--version']).status === 0) {
    const ran = asNobody([program, ...words])
    t.match(ran, { status: 8, stdout: '', stderr: /^hn4 status: the mount belongs to user 0[^\n]*\n$/ })
  } else t.comment('nobody cannot read this package')
  scratch.umount()
})
