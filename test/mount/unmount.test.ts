import { spawn, spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, symlinkSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { isAlive } from '../../src/mount/processes.ts'
import { Volume } from '../../src/reader/volume.ts'
import { mountTest } from '../support/mount.ts'
import { eventually, hn4, Scratch, toolCommand } from '../support/scratch.ts'

/** The volume was closed: its log holds nothing to replay, and the file is there. */
function checkClosed(t: Test, scratch: Scratch, content: string): void {
  const volume = Volume.open(scratch.image)
  const bytes = Buffer.concat([...volume.readFile(volume.lookup('/file'))].map(b => Buffer.from(b)))
  t.equal(bytes.toString(), content)
  volume.close()
  t.equal(hn4('fsck', scratch.image).exit, 0)
  const again = hn4('mount', '-o', `log=${join(scratch.folder, 'log')}`, scratch.image, scratch.dir)
  t.equal(again.stderr, '', 'nothing was replayed')
  t.equal(hn4('umount', scratch.dir).exit, 0)
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGXCPU', 'SIGPWR'] as const) {
  mountTest(t, `${signal} unmounts and ends clean`, async t => {
    const scratch = new Scratch(t)
    const daemon = scratch.mount()
    writeFileSync(scratch.path('file'), signal)
    process.kill(daemon.pid, signal)
    t.ok(await eventually(() => !isAlive(daemon)))
    t.equal(scratch.mounted, undefined)
    checkClosed(t, scratch, signal)
  })
}

mountTest(t, 'signals that mean nothing to a mount do not end it', async t => {
  const scratch = new Scratch(t)
  const daemon = scratch.mount()
  writeFileSync(scratch.path('file'), 'goes on')
  const RT_FIRST = 34
  const stray = [
    ...(['SIGUSR2', 'SIGALRM', 'SIGVTALRM', 'SIGPROF', 'SIGIO', 'SIGSTKFLT'] as const),
    RT_FIRST,
    RT_FIRST + 6,
  ]
  for (const signal of stray) {
    process.kill(daemon.pid, signal)
    t.equal(readFileSync(scratch.path('file'), 'utf8'), 'goes on', `${signal}`)
  }
  // Answered after all of them were delivered: signals of a process are taken before it returns from a wait.
  process.kill(daemon.pid, 'SIGTERM')
  t.ok(await eventually(() => !isAlive(daemon)))
  checkClosed(t, scratch, 'goes on')
})

mountTest(t, 'hn4 umount called from inside the mount is not in its own way, and does not name itself', async t => {
  const scratch = new Scratch(t)
  scratch.mount()
  writeFileSync(scratch.path('file'), 'inside')
  const [program, words] = toolCommand('hn4', ['umount', scratch.dir])
  const stays = spawnSync('sh', ['-c', 'echo $$; "$@"; echo $?', 'sh', program, ...words], {
    cwd: scratch.dir,
    encoding: 'utf8',
  })
  const [shell, exit] = stays.stdout.split('\n')
  t.equal(exit, '32')
  t.match(stays.stderr, new RegExp(`^hn4 umount: in use by sh \\(${shell}\\): `))
  const goes = spawnSync('sh', ['-c', 'exec "$@"', 'sh', program, ...words], { cwd: scratch.dir, encoding: 'utf8' })
  t.equal(goes.status, 0, goes.stderr)
  checkClosed(t, scratch, 'inside')
})

mountTest(t, 'hn4 umount -f takes a busy mount away, with all data', async t => {
  const scratch = new Scratch(t)
  const daemon = scratch.mount()
  const fd = openSync(scratch.path('file'), 'w')
  writeSync(fd, 'kept')
  t.strictSame(hn4('umount', '-f', scratch.dir), { exit: 0, stdout: '', stderr: '' })
  t.notOk(isAlive(daemon))
  t.throws(() => writeSync(fd, 'lost'), { code: 'ENOTCONN' })
  closeSync(fd)
  checkClosed(t, scratch, 'kept')
})

mountTest(t, 'a plain umount ends the daemon clean', async t => {
  const scratch = new Scratch(t)
  const daemon = scratch.mount()
  writeFileSync(scratch.path('file'), 'plain')
  t.equal(spawnSync('umount', [scratch.dir]).status, 0)
  t.ok(await eventually(() => !isAlive(daemon)))
  checkClosed(t, scratch, 'plain')
})

mountTest(t, 'when hn4 umount returns the daemon has ended; image and link name the mount too', async t => {
  const scratch = new Scratch(t)
  const link = join(scratch.folder, 'link')
  symlinkSync(scratch.dir, link)
  for (const name of [scratch.dir, scratch.image, link, `${scratch.dir}/`]) {
    const daemon = scratch.mount()
    writeFileSync(scratch.path('file'), name)
    t.equal(hn4('umount', name).exit, 0)
    t.notOk(isAlive(daemon))
    checkClosed(t, scratch, name)
  }
})

mountTest(t, 'a busy mount is not unmounted: its users are named and go on', async t => {
  const scratch = new Scratch(t)
  const daemon = scratch.mount('-o', `log=${join(scratch.folder, 'log')}`)
  const sleeper = spawn('sleep', ['600'], { cwd: scratch.dir, stdio: 'ignore' })
  t.teardown(() => sleeper.kill('SIGKILL'))
  const fd = openSync(scratch.path('file'), 'w')
  writeSync(fd, 'before ')
  const ran = hn4('umount', scratch.dir)
  t.equal(ran.exit, 32)
  t.match(ran.stderr, new RegExp(`^hn4 umount: in use by .*sleep \\(${sleeper.pid}\\).*\n$`))
  t.match(ran.stderr, `(${process.pid})`)
  process.kill(daemon.pid, 'SIGTERM')
  t.ok(await eventually(() => /in use by .*sleep/.test(readFileSync(join(scratch.folder, 'log'), 'utf8'))))
  t.ok(isAlive(daemon), 'one signal does not take it away')
  writeSync(fd, 'after')
  closeSync(fd)
  sleeper.kill('SIGKILL')
  t.ok(await eventually(() => hn4('umount', scratch.dir).exit === 0))
  checkClosed(t, scratch, 'before after')
})

mountTest(t, 'a second signal within two seconds takes a busy mount away, with all data', async t => {
  const scratch = new Scratch(t)
  const log = join(scratch.folder, 'log')
  const daemon = scratch.mount('-o', `log=${log}`)
  const fd = openSync(scratch.path('file'), 'w')
  writeSync(fd, 'kept')
  process.kill(daemon.pid, 'SIGTERM')
  // Two that arrive together may count as one.
  t.ok(await eventually(() => readFileSync(log, 'utf8').includes('in use')))
  process.kill(daemon.pid, 'SIGTERM')
  t.ok(await eventually(() => !isAlive(daemon)))
  t.throws(() => writeSync(fd, 'lost'))
  t.throws(() => closeSync(fd), { code: 'ENOTCONN' })
  t.equal(scratch.mounted, undefined)
  checkClosed(t, scratch, 'kept')
})

mountTest(t, 'hn4 umount -l takes a busy mount off the tree; it ends with the last open file', async t => {
  const scratch = new Scratch(t)
  const daemon = scratch.mount()
  const fd = openSync(scratch.path('file'), 'w')
  const ran = hn4('umount', '-l', scratch.dir)
  t.equal(ran.exit, 0)
  t.match(ran.stderr, /stays open until/)
  t.equal(scratch.mounted, undefined)
  t.ok(isAlive(daemon))
  writeSync(fd, 'still written')
  closeSync(fd)
  t.ok(await eventually(() => !isAlive(daemon)))
  checkClosed(t, scratch, 'still written')
})

mountTest(t, 'what is not mounted, or not ours, is not unmounted', async t => {
  const scratch = new Scratch(t)
  for (const name of [scratch.dir, scratch.image, '/proc', join(scratch.folder, 'absent')]) {
    const ran = hn4('umount', name)
    t.ok(ran.exit === 32 || ran.exit === 1, name)
    t.match(ran.stderr, /^hn4 umount: [^\n]*\n$/)
  }
})

mountTest(t, 'hn4 mount -f stays in front, says so, and ends with Ctrl-C', async t => {
  const scratch = new Scratch(t)
  const child = spawn(...toolCommand('hn4', ['mount', '-f', scratch.image, scratch.dir]), {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', text => {
    said += text
  })
  t.ok(await eventually(() => said.includes('is mounted on')))
  mkdirSync(scratch.path('folder'))
  writeFileSync(scratch.path('file'), 'front')
  const ended = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGINT')
  t.equal(await ended, 0)
  t.equal(said, `hn4 mount: ${scratch.image} is mounted on ${scratch.dir}\n`)
  checkClosed(t, scratch, 'front')
})
