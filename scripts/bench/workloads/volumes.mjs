// Volumes of 1 GiB to 4 TiB, sparse: how long making and mounting one takes, what the daemon holds, and after a crash.
import { readFileSync } from 'node:fs'
import { runClient } from '../client.mjs'

const GIB = 2 ** 30
const nameOf = bytes => (bytes >= 1024 * GIB ? `${bytes / 1024 / GIB} TiB` : `${bytes / GIB} GiB`)

/** Memory that the daemon's processes hold, in MiB; undefined where there is no daemon. */
export function residentMib(target) {
  const sizes = target.pids().map(pid => {
    const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return Number(kib) / 1024
  })
  return sizes.length === 0 ? undefined : sizes.reduce((a, b) => a + b)
}

/** Seconds of what `work` does. */
async function secondsOf(work) {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1000
}

/** Milliseconds of mounting, as the target measures it where finding its daemon takes longer. */
async function mountMs(target) {
  const seconds = await secondsOf(() => target.mount())
  return (target.mountSeconds ?? seconds) * 1000
}

/** A mount whose daemon is killed while it writes; files that were synced are there after it. */
async function crash(target, stage) {
  const synced = ['--size', 4096, '--count', 200]
  await runClient(stage, 'write-small', target.dir, [...synced, '--sync'])
  await runClient(stage, 'create', target.dir, ['--count', 20_000])
  await target.crash()
  const taken = await mountMs(target)
  await runClient(stage, 'read-small', target.dir, synced)
  return taken
}

function ofSize(bytes, withCrash) {
  const row = (what, unit, measure, options = {}) => ({ name: `${what}, ${nameOf(bytes)}`, unit, measure, ...options })
  return [
    row('mkfs', 's', async target => {
      await target.unmount()
      target.bytes = bytes
      return secondsOf(() => target.make())
    }),
    row('mount', 'ms', target => mountMs(target)),
    row('resident', 'MiB', residentMib),
    ...(withCrash ? [row('mount after a crash', 'ms', crash, { needs: target => target.crash !== undefined })] : []),
  ]
}

/** For filesystems on an image. */
export function volumes(sizes = [1, 64, 1024, 4096]) {
  return {
    group: 'volumes',
    needsImage: true,
    rows: sizes.flatMap((gib, i) => ofSize(gib * GIB, i === sizes.length - 1)),
  }
}
