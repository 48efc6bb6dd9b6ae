/** Checks of an image that somebody uses, changes or cancels: no damage that is none, and never "clean" unseen. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, truncateSync, utimesSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { fsck } from '../../fsck-scrub/command.ts'
import { scrubCommand } from '../../fsck-scrub/scrub-command.ts'
import { mkfs } from '../../mkfs/command.ts'
import { PACKAGE_TOP } from '../../src/base/package.ts'
import { ImageFile } from '../../src/device/image.ts'
import { lsCommand } from '../../src/image/list.ts'
import { addon } from '../../src/native/addon.ts'
import { isFailure } from '../../src/native/failure.ts'
import { Unchanged } from '../../src/reader/unchanged.ts'
import { Volume } from '../../src/reader/volume.ts'
import { runCommand } from '../support/cli.ts'

const GOLDEN = gunzipSync(readFileSync(join(PACKAGE_TOP, 'images/golden-v1.img.gz')))

function imageIn(t: Test): string {
  const image = join(t.testdir({}), 'disk.img')
  writeFileSync(image, GOLDEN)
  return image
}

t.test('scrub and fsck share the image with readers and are refused beside a writer', async t => {
  const image = imageIn(t)
  const fd = openSync(image, 'r+')
  t.teardown(() => closeSync(fd))
  const shared = addon().lockImage(fd, image, false)
  if (isFailure(shared)) return t.fail(shared.text)
  for (const command of [fsck, scrubCommand]) t.equal((await runCommand(command.name, command, [image])).exit, 0)
  shared.release()
  const exclusive = addon().lockImage(fd, image, true)
  if (isFailure(exclusive)) return t.fail(exclusive.text)
  for (const command of [fsck, scrubCommand]) {
    const ran = await runCommand(command.name, command, [image])
    t.equal(ran.exit, 8)
    t.match(ran.stderr, /in use|open for writing|locked/)
  }
  exclusive.release()
})

/** Starts a check in a process of its own and stops it in its middle. */
async function stopped(t: Test, image: string): Promise<{ go(): void; end: Promise<{ exit: number; text: string }> }> {
  const child = spawn(process.execPath, [join(PACKAGE_TOP, 'dist/cli/main.js'), 'scrub', '--json', image], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  t.teardown(() => child.kill('SIGKILL'))
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', more => (text += more))
  // It has the lock while it works: that it works is seen by it.
  const probe = openSync(image, 'r+')
  for (;;) {
    const lock = addon().lockImage(probe, image, true)
    if (isFailure(lock)) break
    lock.release()
    if (child.exitCode !== null) throw new Error(`the case did not happen: it ended before it was stopped: ${text}`)
    await new Promise(resolve => setTimeout(resolve, 1))
  }
  child.kill('SIGSTOP')
  closeSync(probe)
  const end = once(child, 'exit').then(([exit]) => ({ exit: exit as number, text }))
  return { go: () => void child.kill('SIGCONT'), end }
}

t.test('a mount or mkfs -f beside a running check is refused', async t => {
  const image = imageIn(t)
  const check = await stopped(t, image)
  const made = await runCommand('mkfs.hn4', mkfs, ['-f', image])
  t.equal(made.exit, 1)
  t.match(made.stderr, /in use/)
  const opened = addon().openVolume(image, false)
  t.ok(isFailure(opened) && opened.code === 'Busy')
  check.go()
  const { exit, text } = await check.end
  t.equal(exit, 0, text)
})

t.test('an image that is overwritten under a check: "changed", 8, and no damage', async t => {
  const image = imageIn(t)
  const check = await stopped(t, image)
  const fd = openSync(image, 'r+')
  // Everything behind the superblocks; no lock is taken.
  const noise = Buffer.alloc(1 << 20, 0xa5)
  for (let at = 8192; at < 4 << 20; at += noise.length) writeSync(fd, noise, 0, noise.length, at)
  closeSync(fd)
  check.go()
  const { exit, text } = await check.end
  t.equal(exit, 8, text)
  t.match(text, /changed while it was read/)
  t.notMatch(text, /"clean"|"errors"/)
})

t.test('what tells that an image was changed: its size, its time, its superblocks and checkpoint blocks', async t => {
  const image = imageIn(t)
  const watched = (): Unchanged => {
    const source = new ImageFile(image)
    t.teardown(() => source.close())
    const unchanged = new Unchanged(source)
    unchanged.watch(new Volume(source))
    return unchanged
  }
  t.equal(watched().isChanged, false)
  const later = watched()
  utimesSync(image, 1, 1)
  t.ok(later.isChanged)
  const shorter = watched()
  truncateSync(image, GOLDEN.length - 4096)
  t.ok(shorter.isChanged)
})

t.test('an image command that meets damage in an image under change says so instead, with 8', async t => {
  const image = imageIn(t)
  const fd = openSync(image, 'r+')
  t.teardown(() => closeSync(fd))
  // All but the superblocks.
  const noise = Buffer.alloc(GOLDEN.length - 16384, 0xa5)
  writeSync(fd, noise, 0, noise.length, 8192)
  t.equal((await runCommand('hn4 ls', lsCommand, [image])).exit, 4)
  const lock = addon().lockImage(fd, image, true)
  if (isFailure(lock)) return t.fail(lock.text)
  const ran = await runCommand('hn4 ls', lsCommand, [image])
  t.equal(ran.exit, 8)
  t.match(ran.stderr, /changed while it was read/)
  lock.release()
})

t.test('a check that is cancelled says neither clean nor true', async t => {
  const image = imageIn(t)
  for (const words of [[image], ['--json', image]]) {
    const running = runCommand('hn4 scrub', scrubCommand, words)
    process.emit('SIGINT', 'SIGINT')
    const ran = await running
    t.equal(ran.exit, 32)
    t.notMatch(ran.stdout, /: clean|"clean": true/)
    if (words.length === 2) t.match(JSON.parse(ran.stdout), { clean: false, cancelled: true, errors: 0 })
    else t.match(ran.stdout, /: cancelled, not checked to its end: no damage so far, /)
  }
})

t.test('a check of a part names the part', async t => {
  const ran = await runCommand('hn4 scrub', scrubCommand, ['--path', '/', imageIn(t)])
  t.equal(ran.exit, 0)
  t.match(ran.stdout, /disk\.img:\/: clean, \d+ files?\n$/)
})

t.test('fsck -a, -p and -y: a volume that was unmounted cleanly is clean and 0; -f checks it', async t => {
  const image = join(t.testdir({}), 'disk.img')
  await runCommand('mkfs.hn4', mkfs, [image, '16M'])
  const checked = await runCommand('fsck.hn4', fsck, ['-n', image])
  const line = checked.stdout.trimEnd().split('\n').at(-1)
  t.match(line, /: clean, \d+\/\d+ files, \d+\/\d+ blocks$/)
  for (const letter of ['-a', '-p', '-y']) {
    t.strictSame(await runCommand('fsck.hn4', fsck, [letter, image]), { exit: 0, stdout: `${line}\n`, stderr: '' })
    t.match(JSON.parse((await runCommand('fsck.hn4', fsck, [letter, '--json', image])).stdout), {
      clean: true,
      exit: 0,
    })
  }
  const forced = await runCommand('fsck.hn4', fsck, ['-a', '-f', image])
  t.equal(forced.exit, 0)
  t.match(forced.stderr, /\[1\//, 'passes were run')
})
