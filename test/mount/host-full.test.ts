import { spawnSync } from 'node:child_process'
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { isAlive } from '../../src/mount/processes.ts'
import { mountTest } from '../support/mount.ts'
import { codeOf, hn4, Scratch } from '../support/scratch.ts'

const FILE_BYTES = 600_000

const contentOf = (i: number): Buffer => Buffer.alloc(FILE_BYTES, `file ${i}, `)

/** Writes and syncs files until one is refused; the number of those that were synced, and the refusal. */
function fill(scratch: Scratch): { synced: number; code: string | undefined } {
  for (let i = 0; i < 200; i++) {
    const code = codeOf(() => {
      const fd = openSync(scratch.path(`f-${i}`), 'wx')
      try {
        writeSync(fd, contentOf(i))
        fsyncSync(fd)
      } finally {
        closeSync(fd)
      }
    })
    if (code !== undefined) return { synced: i, code }
  }
  return { synced: 200, code: undefined }
}

function checkFiles(t: Test, scratch: Scratch, count: number): void {
  for (let i = 0; i < count; i++)
    if (!readFileSync(scratch.path(`f-${i}`)).equals(contentOf(i))) t.fail(`f-${i} is not what was synced`)
}

/** The volume has stopped writing, by one line that names it, the errno and what to do; reads go on. */
function checkStopped(t: Test, scratch: Scratch, log: string, synced: number, errno: RegExp): void {
  const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1)
  t.equal(lines.length, 1, lines.join('\n'))
  t.match(lines[0], `${scratch.image}: write failed, the volume is now read-only: `)
  t.match(lines[0], errno)
  t.match(lines[0], /Unmount, check the host's disk, mount again$/)
  checkFiles(t, scratch, synced)
  t.equal(
    codeOf(() => writeFileSync(scratch.path('more'), 'x')),
    'EROFS',
  )
  t.equal(readdirSync(scratch.dir).length >= synced, true)
  t.equal(readFileSync(log, 'utf8').split('\n').length, 2, 'said once')
}

/** Mounts again: everything that was synced is there, and it can be written. */
function checkAfter(t: Test, scratch: Scratch, synced: number): void {
  scratch.mount()
  checkFiles(t, scratch, synced)
  writeFileSync(scratch.path('after'), 'written', { flush: true })
  scratch.umount()
  t.equal(hn4('fsck', '-n', scratch.image).exit, 0)
  t.equal(hn4('scrub', scratch.image).exit, 0)
}

mountTest(
  t,
  'a host that runs full stops the volume; nothing synced is lost, and with more room it goes on',
  async t => {
    if (process.getuid?.() !== 0) return t.comment('needs root for a tmpfs')
    const scratch = new Scratch(t, { hostMiB: 20 })
    const log = join(scratch.folder, 'log')
    const daemon = scratch.mount('-o', `log=${log}`)
    const { synced, code } = fill(scratch)
    t.equal(code, 'EIO', 'fsync cannot promise anything')
    t.ok(synced > 5, `${synced} files were synced`)
    checkStopped(t, scratch, log, synced, /No space left on device/)
    const ran = hn4('umount', scratch.dir)
    t.equal(ran.exit, 32)
    t.match(ran.stderr, /^hn4 umount: .*: unmounted, but it had stopped writing; .*\n$/)
    t.notOk(isAlive(daemon))
    const host = join(scratch.image, '..')
    t.equal(statSync(scratch.image).size, 64 << 20)
    // Still full: it can be read.
    const readOnly = hn4('mount', '-o', 'ro', scratch.image, scratch.dir)
    t.equal(readOnly.exit, 0)
    checkFiles(t, scratch, synced)
    scratch.umount()
    // A writer needs room for what it replays: it may be refused, by one line, and nothing is lost by that.
    const writable = hn4('mount', scratch.image, scratch.dir)
    if (writable.exit === 0) scratch.umount()
    else {
      t.equal(writable.exit, 32)
      t.match(writable.stderr, /^hn4 mount: .*No space left on device.*\n$/)
    }
    t.equal(spawnSync('mount', ['-o', 'remount,size=100m', host]).status, 0)
    checkAfter(t, scratch, synced)
  },
)

mountTest(
  t,
  'an image that may not grow (RLIMIT_FSIZE): short writes and EFBIG stop the volume the same way',
  async t => {
    const scratch = new Scratch(t)
    const log = join(scratch.folder, 'log')
    const daemon = scratch.mount('-o', `log=${log}`)
    // Of the daemon. Not whole blocks: a write across it ends short.
    const limited = spawnSync('prlimit', ['--pid', String(daemon.pid), `--fsize=${(29 << 20) + 512}`])
    t.equal(limited.status, 0)
    const { synced, code } = fill(scratch)
    t.equal(code, 'EIO')
    checkStopped(t, scratch, log, synced, /File too large/)
    t.equal(hn4('umount', scratch.dir).exit, 32)
    t.notOk(isAlive(daemon))
    checkAfter(t, scratch, synced)
  },
)
