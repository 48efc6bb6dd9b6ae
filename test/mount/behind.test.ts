/** What is done to the image behind the daemon's back is noticed and said, and `hn4 umount` says how the mount ended. */
import {
  closeSync,
  copyFileSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { makeVolume } from '../../mkfs/make.ts'
import { LastWords } from '../../src/mount/last-words.ts'
import { isAlive } from '../../src/mount/processes.ts'
import { mountTest } from '../support/mount.ts'
import { codeOf, eventually, hashOf, hn4, Scratch } from '../support/scratch.ts'

/** Writes a file and syncs it; the errno's name if that fails. */
const writeAndSync = (scratch: Scratch): string | undefined =>
  codeOf(() => {
    const fd = openSync(scratch.path('file'), 'w')
    try {
      writeSync(fd, 'z')
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  })

type Deed = (image: string, other: string) => void

// To overwrite it cp cuts it first, and that may be seen.
const DEEDS: readonly (readonly [string, RegExp, Deed])[] = [
  [
    'overwritten',
    /was overwritten while it was in use|was cut to \d+ bytes/,
    (image, other) => copyFileSync(other, image),
  ],
  ['cut', /was cut to 1048576 bytes/, image => truncateSync(image, 1 << 20)],
  ['deleted', /was deleted or replaced/, image => rmSync(image)],
  ['replaced', /was deleted or replaced/, (image, other) => renameSync(other, image)],
]

for (const [name, words, deed] of DEEDS) {
  mountTest(
    t,
    `an image that is ${name} under its mount: fsync fails, a line says why, hn4 umount ends with 32`,
    async t => {
      const scratch = new Scratch(t)
      const other = join(scratch.folder, 'other.img')
      makeVolume({
        path: other,
        sizeBytes: 64 << 20,
        uuid: undefined,
        label: undefined,
        seed: undefined,
        createdNs: 0n,
      })
      const log = join(scratch.folder, 'log')
      const daemon = scratch.mount('-o', `log=${log}`)
      t.equal(writeAndSync(scratch), undefined)
      deed(scratch.image, other)
      const before = name === 'deleted' ? undefined : hashOf(scratch.image)
      const code = writeAndSync(scratch)
      t.ok(code === 'EIO' || code === 'EROFS', `${code}`)
      t.match(readFileSync(log, 'utf8'), words)
      const ran = hn4('umount', scratch.dir)
      t.equal(ran.exit, 32)
      t.match(ran.stderr, /^hn4 umount: [^\n]*: unmounted, but it had stopped writing; [^\n]*\n$/)
      t.match(ran.stderr, words)
      t.notOk(isAlive(daemon))
      if (before !== undefined) t.equal(hashOf(scratch.image), before, 'nothing was written into what is there now')
    },
  )

  mountTest(t, `an image that is ${name} and then only unmounted: 32, too`, async t => {
    const scratch = new Scratch(t)
    const other = join(scratch.folder, 'other.img')
    makeVolume({ path: other, sizeBytes: 64 << 20, uuid: undefined, label: undefined, seed: undefined, createdNs: 0n })
    scratch.mount('-o', `log=${join(scratch.folder, 'log')}`)
    deed(scratch.image, other)
    const ran = hn4('umount', scratch.dir)
    t.equal(ran.exit, 32)
    t.match(ran.stderr, words)
  })
}

mountTest(t, 'an image that is deleted, and its mount then forced away from a program: 32, too', async t => {
  const scratch = new Scratch(t)
  scratch.mount('-o', `log=${join(scratch.folder, 'log')}`)
  const fd = openSync(scratch.path('file'), 'w')
  rmSync(scratch.image)
  const ran = hn4('umount', '-f', scratch.dir)
  t.equal(ran.exit, 32)
  t.match(ran.stderr, /was deleted or replaced/)
  codeOf(() => closeSync(fd))
})

mountTest(t, 'an image that is moved is written where it went: a line, and 0', async t => {
  const scratch = new Scratch(t)
  const log = join(scratch.folder, 'log')
  scratch.mount('-o', `log=${log}`)
  const moved = join(scratch.folder, 'moved.img')
  renameSync(scratch.image, moved)
  t.equal(writeAndSync(scratch), undefined)
  t.match(readFileSync(log, 'utf8'), /no longer at its path/)
  t.equal(hn4('umount', scratch.dir).exit, 0)
  t.equal(hn4('cat', `${moved}:/file`).stdout, 'z')
  t.equal(hn4('fsck', moved).exit, 0)
})

mountTest(t, 'a daemon that is killed leaves no last words, one that ends well leaves that', async t => {
  const scratch = new Scratch(t)
  const killed = scratch.mount()
  const silent = LastWords.of(killed)
  process.kill(killed.pid, 'SIGKILL')
  t.ok(await eventually(() => !isAlive(killed)))
  t.strictSame(silent?.read(), { is: 'silent' })
  await eventually(() => codeOf(() => readFileSync(scratch.dir)) === 'ENOTCONN')
  const ended = scratch.mount()
  const clean = LastWords.of(ended)
  scratch.umount()
  t.strictSame(clean?.read(), { is: 'clean' })
})
