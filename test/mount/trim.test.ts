import { spawnSync } from 'node:child_process'
import { closeSync, fsyncSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { mountTest } from '../support/mount.ts'
import { eventually, hn4, Scratch } from '../support/scratch.ts'

const MIB = 1 << 20
/** Of the files that go. */
const LARGE = 24 * MIB

/** Bytes that the host has given the image. */
const heldBy = (image: string): number => statSync(image).blocks * 512

/** A file that stays and one that goes; both are on the disk. */
function fill(scratch: Scratch): void {
  for (const [name, size] of [
    ['kept', MIB],
    ['large', LARGE],
  ] as const) {
    const file = openSync(scratch.path(name), 'w')
    writeFileSync(file, Buffer.alloc(size, name))
    fsyncSync(file)
    closeSync(file)
  }
}

const isKept = (scratch: Scratch): boolean => readFileSync(scratch.path('kept')).equals(Buffer.alloc(MIB, 'kept'))

mountTest(t, 'fstrim gives the space of deleted files back to the host, for root alone', async t => {
  const scratch = new Scratch(t)
  scratch.mount()
  fill(scratch)
  rmSync(scratch.path('large'))
  const before = heldBy(scratch.image)
  if (process.getuid?.() === 0) {
    const other = spawnSync('setpriv', ['--reuid=65534', '--clear-groups', 'fstrim', scratch.dir], { encoding: 'utf8' })
    t.match(other.stderr, /not permitted/)
    t.equal(heldBy(scratch.image), before)
  }
  const ran = spawnSync('fstrim', ['-v', scratch.dir], { encoding: 'utf8' })
  t.match(ran, { status: 0, stderr: '', stdout: /\(\d{7,} bytes\) trimmed/ })
  t.ok(heldBy(scratch.image) <= before - LARGE, `${before} bytes, now ${heldBy(scratch.image)}`)
  t.ok(isKept(scratch))
  scratch.umount()
  t.equal(hn4('scrub', scratch.image).exit, 0)
  t.equal(hn4('fsck', '-n', scratch.image).exit, 0)
})

mountTest(t, 'with -o discard the space goes back by itself', async t => {
  const scratch = new Scratch(t)
  scratch.mount('-o', 'discard')
  fill(scratch)
  const before = heldBy(scratch.image)
  rmSync(scratch.path('large'))
  t.ok(await eventually(() => heldBy(scratch.image) <= before - LARGE), `${before}, now ${heldBy(scratch.image)}`)
  t.ok(isKept(scratch))
  scratch.umount()
  t.equal(hn4('scrub', scratch.image).exit, 0)
})

mountTest(t, 'hn4 trim works on a mount, by either name, and on an image', async t => {
  const scratch = new Scratch(t)
  scratch.mount()
  for (const name of [scratch.dir, scratch.image]) {
    fill(scratch)
    rmSync(scratch.path('large'))
    const before = heldBy(scratch.image)
    const ran = hn4('trim', '--json', name)
    const found = JSON.parse(ran.stdout) as Record<string, unknown>
    t.match(found, { schema: 1, target: name, mounted: true })
    t.ok(Number(found.trimmed_bytes) >= LARGE && typeof found.trimmed_bytes === 'string')
    t.ok(heldBy(scratch.image) <= before - LARGE)
  }
  fill(scratch)
  rmSync(scratch.path('large'))
  scratch.umount()
  const before = heldBy(scratch.image)
  t.match(hn4('trim', scratch.image), { exit: 0, stdout: /MiB trimmed\n$/, stderr: '' })
  t.ok(heldBy(scratch.image) <= before - LARGE)
  scratch.mount('-o', 'ro')
  t.ok(isKept(scratch))
  t.match(hn4('trim', scratch.dir), { exit: 8, stderr: /the volume is not mounted for writing/ })
  scratch.umount()
  t.equal(hn4('scrub', scratch.image).exit, 0)
  t.match(hn4('trim', join(scratch.folder, 'absent')), { exit: 8, stdout: '' })
})

mountTest(t, 'a block device is told too', async t => {
  const scratch = new Scratch(t)
  scratch.mount()
  fill(scratch)
  rmSync(scratch.path('large'))
  scratch.umount()
  const made = spawnSync('losetup', ['--find', '--show', scratch.image], { encoding: 'utf8' })
  if (made.status !== 0) return t.comment('no loop device here')
  const device = made.stdout.trim()
  t.teardown(() => spawnSync('losetup', ['--detach', device]))
  const before = heldBy(scratch.image)
  t.equal(hn4('trim', device).stderr, '')
  t.ok(heldBy(scratch.image) <= before - LARGE, `${before}, now ${heldBy(scratch.image)}`)
  t.equal(hn4('scrub', device).exit, 0)
})
