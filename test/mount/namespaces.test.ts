/** Copies of a mount in other mount namespaces, which keep it alive when it is unmounted here. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { makeVolume } from '../../mkfs/make.ts'
import { isAlive } from '../../src/mount/processes.ts'
import { mountTest } from '../support/mount.ts'
import { eventually, hn4, Scratch, toolCommand } from '../support/scratch.ts'

const isRoot = process.getuid?.() === 0

/** A process in a mount namespace of its own, which has copies of all mounts of this moment. */
async function holder(t: Test): Promise<ChildProcess> {
  const child = spawn('unshare', ['-m', '--propagation', 'private', 'sleep', '600'], { stdio: 'ignore' })
  t.teardown(() => child.kill('SIGKILL'))
  const isInside = (): boolean => {
    const comm = readFileSync(`/proc/${child.pid}/comm`, 'utf8')
    return comm === 'sleep\n' && readlinkSync(`/proc/${child.pid}/ns/mnt`) !== readlinkSync('/proc/self/ns/mnt')
  }
  t.ok(await eventually(isInside), 'it has a namespace')
  return child
}

mountTest(
  t,
  'a copy in another namespace: umount and the next mount name who holds it; it ends with the copy',
  async t => {
    if (!isRoot) return t.comment('needs root for a mount namespace')
    const scratch = new Scratch(t)
    const daemon = scratch.mount()
    writeFileSync(scratch.path('file'), 'kept')
    const child = await holder(t)
    const named = new RegExp(`mounted in another mount namespace, of .*sleep \\(${child.pid}\\)`)
    const ran = hn4('umount', scratch.dir)
    t.equal(ran.exit, 32)
    t.match(ran.stderr, named)
    t.match(ran.stderr, /^hn4 umount: unmounted here, but still [^\n]+\n$/)
    t.equal(scratch.mounted, undefined)
    t.ok(isAlive(daemon))
    const again = hn4('mount', scratch.image, scratch.dir)
    t.equal(again.exit, 32)
    t.match(again.stderr, named)
    t.match(again.stderr, /^hn4 mount: unmounted here, but still [^\n]+\n$/)
    child.kill('SIGKILL')
    t.ok(await eventually(() => !isAlive(daemon)))
    t.equal(hn4('cat', `${scratch.image}:/file`).stdout, 'kept')
    t.equal(hn4('fsck', scratch.image).exit, 0)
  },
)

mountTest(t, 'a second signal ends a mount that only another namespace holds, with all data', async t => {
  if (!isRoot) return t.comment('needs root for a mount namespace')
  const scratch = new Scratch(t)
  const log = join(scratch.folder, 'log')
  const daemon = scratch.mount('-o', `log=${log}`)
  writeFileSync(scratch.path('file'), 'kept')
  const child = await holder(t)
  t.equal(spawnSync('umount', [scratch.dir]).status, 0)
  process.kill(daemon.pid, 'SIGTERM')
  t.ok(await eventually(() => readFileSync(log, 'utf8').includes(`sleep (${child.pid})`)))
  t.ok(isAlive(daemon), 'one signal only makes everything durable')
  process.kill(daemon.pid, 'SIGTERM')
  t.ok(await eventually(() => !isAlive(daemon)))
  t.equal(hn4('cat', `${scratch.image}:/file`).stdout, 'kept')
  t.equal(hn4('mount', scratch.image, scratch.dir).stderr, '', 'nothing was replayed')
  scratch.umount()
})

mountTest(t, 'hn4 umount -a unmounts all there are', async t => {
  if (!isRoot) return t.comment('needs root for a mount namespace')
  const one = new Scratch(t)
  const two = { image: join(one.folder, 'two.img'), dir: join(one.folder, 'two') }
  mkdirSync(two.dir)
  makeVolume({
    path: two.image,
    sizeBytes: 64 << 20,
    uuid: undefined,
    label: undefined,
    seed: undefined,
    createdNs: 0n,
  })
  const [program, words] = toolCommand('hn4', [])
  // In a namespace of its own, without the mounts of others.
  const script = `
awk '/ - fuse(blk)?\\.hn4 /{print $5}' /proc/self/mountinfo | while read -r at; do umount -l "$at"; done
hn4() { "$@"; }
hn4 "$@" mount "$ONE" "$ONE_DIR" && hn4 "$@" mount "$TWO" "$TWO_DIR" || exit 1
echo a > "$ONE_DIR/file"; echo b > "$TWO_DIR/file"
hn4 "$@" umount -a || exit 2
grep -c 'fuse.hn4' /proc/self/mountinfo
true`
  const ran = spawnSync('unshare', ['-m', '--propagation', 'private', 'sh', '-c', script, 'sh', program, ...words], {
    encoding: 'utf8',
    env: { ...process.env, ONE: one.image, ONE_DIR: one.dir, TWO: two.image, TWO_DIR: two.dir },
  })
  t.equal(ran.status, 0, ran.stderr)
  t.equal(ran.stdout, '0\n')
  t.equal(hn4('cat', `${one.image}:/file`).stdout, 'a\n')
  t.equal(hn4('cat', `${two.image}:/file`).stdout, 'b\n')
  t.equal(hn4('umount', '-a', one.dir).exit, 1)
})
