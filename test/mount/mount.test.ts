import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statfsSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { isAlive } from '../../src/mount/processes.ts'
import { Volume } from '../../src/reader/volume.ts'
import { mountTest } from '../support/mount.ts'
import { hashOf, hn4, runTool, Scratch, toolCommand } from '../support/scratch.ts'

mountTest(t, 'hn4 mount returns when the mount answers; what is written is there after a second mount', async t => {
  const scratch = new Scratch(t)
  t.strictSame(hn4('mount', scratch.image, scratch.dir), { exit: 0, stdout: '', stderr: '' })
  mkdirSync(scratch.path('folder'))
  writeFileSync(scratch.path('folder', 'file'), 'x'.repeat(100_000))
  symlinkSync('folder/file', scratch.path('link'))
  t.strictSame(hn4('umount', scratch.dir), { exit: 0, stdout: '', stderr: '' })
  t.equal(scratch.mounted, undefined)
  t.strictSame(readdirSync(scratch.dir), [])
  scratch.mount()
  t.equal(readFileSync(scratch.path('link'), 'utf8'), 'x'.repeat(100_000))
  scratch.umount()
})

mountTest(t, 'the reader sees in the image what was written through the mount', async t => {
  const scratch = new Scratch(t)
  scratch.mount()
  writeFileSync(scratch.path('a'), 'one')
  writeFileSync(scratch.path('b'), 'y'.repeat(50_000))
  scratch.umount()
  const volume = Volume.open(scratch.image)
  const read = (path: string) =>
    Buffer.concat([...volume.readFile(volume.lookup(path))].map(b => Buffer.from(b))).toString()
  t.equal(read('/a'), 'one')
  t.equal(read('/b'), 'y'.repeat(50_000))
  volume.close()
})

mountTest(t, 'the mount table shows image, type and options, and df true numbers', async t => {
  const scratch = new Scratch(t)
  scratch.mount('-o', 'nosuid,nodev,noexec,noatime')
  const { mounted } = scratch
  t.equal(mounted?.type, 'fuse.hn4')
  t.equal(mounted?.source, scratch.image)
  for (const flag of ['rw', 'nosuid', 'nodev', 'noexec', 'noatime']) t.ok(mounted?.options.includes(flag), flag)
  const before = statfsSync(scratch.dir)
  writeFileSync(scratch.path('file'), Buffer.alloc(1 << 20, 1), { flush: true })
  const after = statfsSync(scratch.dir)
  t.equal(before.bsize, 4096)
  t.equal(before.ffree - after.ffree, 1)
  t.ok(before.bfree - after.bfree >= 256)
  scratch.umount()
})

mountTest(t, 'a comma, a space, a backslash and a line feed in a path are no options and no danger', async t => {
  const scratch = new Scratch(t, { name: 'a,ro,allow_other b\\c\n.img', dir: 'm,suid \\x' })
  scratch.mount()
  t.equal(scratch.mounted?.source, scratch.image)
  writeFileSync(scratch.path('file'), 'written')
  scratch.umount()
})

mountTest(t, 'paths may be relative', async t => {
  const scratch = new Scratch(t)
  const ran = spawnSync(...toolCommand('hn4', ['mount', 'disk.img', 'mnt']), { cwd: scratch.folder, encoding: 'utf8' })
  t.equal(ran.stderr, '')
  t.equal(scratch.mounted?.source, scratch.image)
  scratch.umount()
})

mountTest(t, 'a read-only mount reads, refuses writes, and leaves the image as it was', async t => {
  const scratch = new Scratch(t)
  scratch.mount()
  writeFileSync(scratch.path('file'), 'content')
  scratch.umount()
  const before = hashOf(scratch.image)
  scratch.mount('-o', 'ro')
  t.equal(readFileSync(scratch.path('file'), 'utf8'), 'content')
  t.throws(() => writeFileSync(scratch.path('file'), 'other'), { code: 'EROFS' })
  t.throws(() => mkdirSync(scratch.path('folder')), { code: 'EROFS' })
  scratch.umount()
  t.equal(hashOf(scratch.image), before)
})

mountTest(t, 'a second mount is refused and names process and mountpoint; readers share', async t => {
  const scratch = new Scratch(t)
  const other = join(scratch.folder, 'other')
  mkdirSync(other)
  const daemon = scratch.mount()
  for (const words of [['mount'], ['mount', '-o', 'ro']]) {
    const ran = hn4(...words, scratch.image, other)
    t.equal(ran.exit, 32)
    t.match(ran.stderr, new RegExp(`^hn4 mount: .*process ${daemon.pid} \\(hn4\\).*${scratch.dir}.*\n$`))
  }
  scratch.umount()
  scratch.mount('-o', 'ro')
  t.equal(hn4('mount', '-o', 'ro', scratch.image, other).exit, 0)
  t.equal(hn4('umount', other).exit, 0)
  scratch.umount()
})

mountTest(t, 'mkfs and scrub refuse a mounted image', async t => {
  const scratch = new Scratch(t)
  scratch.mount()
  t.equal(hn4('mkfs', '-f', scratch.image).exit, 1)
  t.equal(hn4('scrub', scratch.image).exit, 8)
  scratch.umount()
  t.equal(hn4('scrub', scratch.image).exit, 0)
})

mountTest(t, 'mount.hn4 takes the words of mount(8)', async t => {
  const scratch = new Scratch(t)
  const options = 'rw,noexec,nosuid,nodev,_netdev,user,x-systemd.automount,nofail,comment=a b'
  const ran = runTool('mount.hn4', [scratch.image, scratch.dir, '-n', '-v', '-o', options, '-t', 'hn4'])
  t.equal(ran.exit, 0)
  // Behind it stands where lines go, where this machine has no system log.
  t.equal(ran.stdout.split('\n').at(-2), `${scratch.image} mounted on ${scratch.dir}`)
  t.equal(ran.stderr, '')
  scratch.umount()
})

mountTest(t, 'mount.hn4 -f does everything but mount, -s leaves out what is not known', async t => {
  const scratch = new Scratch(t)
  t.strictSame(runTool('mount.hn4', [scratch.image, scratch.dir, '-f']), { exit: 0, stdout: '', stderr: '' })
  t.equal(scratch.mounted, undefined)
  const refused = runTool('mount.hn4', [scratch.image, scratch.dir, '-f', '-o', 'nonsense'])
  t.equal(refused.exit, 1)
  t.equal(refused.stderr, "mount.hn4: unknown mount option 'nonsense'; see mount.hn4 --help\n")
  const sloppy = runTool('mount.hn4', [scratch.image, scratch.dir, '-f', '-s', '-v', '-o', 'nonsense'])
  t.equal(sloppy.exit, 0)
  t.match(sloppy.stderr, /^mount\.hn4: ignored: nonsense\n$/)
})

mountTest(t, 'lines of a mount go to its log file, with SIGUSR1 the counters', async t => {
  const scratch = new Scratch(t)
  const log = join(scratch.folder, 'log')
  const daemon = scratch.mount('-o', `log=${log}`)
  writeFileSync(scratch.path('file'), 'x', { flush: true })
  process.kill(daemon.pid, 'SIGUSR1')
  const counters = () => /counters: (\{.*\})/.exec(readFileSync(log, 'utf8'))?.[1]
  for (let i = 0; i < 500 && counters() === undefined; i++) await new Promise(done => setTimeout(done, 10))
  const { commits, requests } = JSON.parse(counters() ?? '{}') as { commits: number; requests: Record<string, number> }
  t.ok(commits >= 1)
  t.ok((requests.WRITE ?? requests.Write ?? 0) >= 1)
  t.match(readFileSync(log, 'utf8'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ hn4\[\d+\]: counters/)
  t.ok(isAlive(daemon))
  scratch.umount()
  const bad = hn4('mount', '-o', `log=${join(scratch.folder, 'absent/log')}`, scratch.image, scratch.dir)
  t.match(bad.stderr, /^hn4 mount: .*absent\/log: No such file[^\n]*\n$/)
  t.equal(bad.exit, 32)
})
