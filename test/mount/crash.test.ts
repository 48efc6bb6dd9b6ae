import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { mountAt } from '../../src/device/mount-table.ts'
import { isAlive } from '../../src/mount/processes.ts'
import { runKills } from '../support/kills.ts'
import { mountTest } from '../support/mount.ts'
import { codeOf, eventually, hashOf, hn4, Scratch } from '../support/scratch.ts'

async function kill(scratch: Scratch): Promise<void> {
  const { daemon } = scratch
  process.kill(daemon.pid, 'SIGKILL')
  await eventually(() => !isAlive(daemon))
}

mountTest(t, 'after kill -9 a mount clears the dead one, replays, and has all that was synced', async t => {
  const scratch = new Scratch(t)
  scratch.mount()
  mkdirSync(scratch.path('folder'))
  writeFileSync(scratch.path('folder', 'synced'), 'z'.repeat(300_000), { flush: true })
  await kill(scratch)
  // The kernel ends the connection when the last thread is gone, a moment after the process is.
  await eventually(() => codeOf(() => statSync(scratch.dir)) === 'ENOTCONN')
  const log = join(scratch.folder, 'log')
  const ran = hn4('mount', '-o', `log=${log}`, scratch.image, scratch.dir)
  t.equal(ran.exit, 0)
  const [first, second, ...rest] = ran.stderr.split('\n')
  t.equal(first, `hn4 mount: took off the dead mount of ${scratch.image} at ${scratch.dir}`)
  t.match(second, /^hn4 mount: it was not unmounted cleanly: \d+ transactions? replayed$/)
  t.strictSame(rest, [''])
  t.equal(readFileSync(scratch.path('folder', 'synced'), 'utf8'), 'z'.repeat(300_000))
  scratch.umount()
  t.equal(hn4('fsck', scratch.image).exit, 0)
})

mountTest(t, 'bind copies of a dead mount are taken off with it', async t => {
  if (process.getuid?.() !== 0) return t.comment('needs root for a bind mount')
  const scratch = new Scratch(t)
  const [copy, under] = [join(scratch.folder, 'copy'), join(scratch.folder, 'under')]
  scratch.mount()
  for (const at of [copy, under]) {
    mkdirSync(at)
    t.equal(spawnSync('mount', ['--bind', scratch.dir, at]).status, 0)
  }
  // Another filesystem over a copy is not its.
  t.equal(spawnSync('mount', ['-t', 'tmpfs', 'none', under]).status, 0)
  try {
    await kill(scratch)
    await eventually(() => codeOf(() => statSync(copy)) === 'ENOTCONN')
    const ran = hn4('mount', scratch.image, scratch.dir)
    t.equal(ran.exit, 0)
    t.match(ran.stderr, `hn4 mount: took off its copy at ${copy}\n`)
    t.equal(mountAt(copy), undefined)
    t.equal(mountAt(under)?.type, 'tmpfs')
  } finally {
    for (const at of [copy, under, under]) if (mountAt(at) !== undefined) spawnSync('umount', ['-l', at])
    hn4('umount', scratch.dir)
  }
})

mountTest(t, 'a dead mount can be unmounted, and its image read without being changed', async t => {
  const scratch = new Scratch(t)
  scratch.mount()
  writeFileSync(scratch.path('synced'), 'kept', { flush: true })
  await kill(scratch)
  const before = hashOf(scratch.image)
  t.equal(hn4('cat', `${scratch.image}:/synced`).stdout, 'kept')
  t.equal(hn4('scrub', scratch.image).exit, 0)
  t.equal(hn4('umount', scratch.dir).exit, 0)
  t.equal(hn4('mount', '-o', 'ro', scratch.image, scratch.dir).exit, 0)
  t.equal(readFileSync(scratch.path('synced'), 'utf8'), 'kept')
  scratch.umount()
  t.equal(hashOf(scratch.image), before)
})

mountTest(t, 'kill -9 at any moment of a busy writer: what was synced is there, the structure is whole', async t => {
  const scratch = new Scratch(t)
  const synced = new Map<string, string>()
  for (let round = 0; round < 6; round++) {
    scratch.mount()
    for (const [name, content] of synced) t.equal(readFileSync(scratch.path(name), 'utf8'), content)
    const folder = scratch.path(`folder-${round}`)
    mkdirSync(folder)
    const log = openSync(scratch.path('log'), 'a')
    for (let i = 0; i < 20 + round * 17; i++) {
      writeFileSync(join(folder, `file-${i}`), `${i} `.repeat(i * 20))
      if (i % 7 !== 3) continue
      const name = `synced-${round}-${i}`
      writeFileSync(scratch.path(name), name.repeat(i * 30), { flush: true })
      synced.set(name, name.repeat(i * 30))
      writeSync(log, name)
      fsyncSync(log)
    }
    closeSync(log)
    await sleep(round * 13)
    await kill(scratch)
  }
  scratch.mount()
  t.equal(readFileSync(scratch.path('log'), 'utf8'), [...synced.keys()].join(''))
  for (const name of readdirSync(scratch.dir))
    if (name !== 'log' && !name.startsWith('folder')) t.ok(synced.has(name), name)
  scratch.umount()
  t.equal(hn4('fsck', scratch.image).exit, 0)
  t.equal(hn4('scrub', scratch.image).exit, 0)
})

mountTest(
  t,
  'kill -9 under eight writers, five times: files, renames, appends and names are what they may be',
  async t => {
    const scratch = new Scratch(t, { sizeBytes: 256 << 20 })
    const seed = Number(process.env.HN4_SEED ?? 1)
    const { problems, steps } = await runKills(scratch.image, scratch.dir, join(scratch.folder, 'log'), 5, seed)
    t.strictSame(problems, [], `HN4_SEED=${seed}`)
    t.ok(steps > 100, `${steps} steps`)
    t.equal(hn4('fsck', scratch.image).exit, 0)
    t.equal(hn4('scrub', scratch.image).exit, 0)
  },
)

mountTest(t, 'what was not synced is there after five seconds', async t => {
  const scratch = new Scratch(t)
  scratch.mount()
  writeFileSync(scratch.path('old'), 'old')
  await sleep(6500)
  appendFileSync(scratch.path('old'), ' new')
  await kill(scratch)
  scratch.mount()
  t.match(readFileSync(scratch.path('old'), 'utf8'), /^old( new)?$/)
  scratch.umount()
})
