/** Kills the daemon of a busy mount, again and again; each next mount must have all that was synced. */
import { once } from 'node:events'
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { mountAt } from '../../src/device/mount-table.ts'
import { daemonOf, isAlive, type Process } from '../../src/mount/processes.ts'
import type { BusyData, BusyReport } from './busy-writer.ts'
import { codeOf, eventually, hn4 } from './scratch.ts'
import { fsync, randomFrom } from './writers.ts'

const KINDS = ['synced', 'renames', 'appends', 'names'] as const
/** Of each kind. */
const WRITERS = 2
/** A daemon lives so long after its writers began, at most. */
const LIFE_MS = 500

export interface Killed {
  readonly problems: readonly string[]
  /** Steps of the writers that returned. */
  readonly steps: number
  /** Mounts that replayed something. */
  readonly replayed: number
}

interface Busy {
  readonly name: string
  readonly worker: Worker
}

async function ask(busy: Busy, what: 'work' | 'check'): Promise<BusyReport> {
  const answer = once(busy.worker, 'message')
  busy.worker.postMessage(what)
  const [report] = (await answer) as [BusyReport]
  return { ...report, problems: report.problems.map(text => `${busy.name}, ${what}: ${text}`) }
}

/** Mounts; the lines of the command must be those of a mount after a kill. */
function mount(image: string, dir: string, log: string, isFirst: boolean): { problems: string[]; replayed: boolean } {
  const ran = hn4('mount', '-o', `log=${log}`, image, dir)
  const lines = ran.stderr.split('\n').filter(line => line !== '')
  if (ran.exit !== 0) return { problems: [`mount: exit ${ran.exit}: ${lines.join('; ')}`], replayed: false }
  const cleared = lines.filter(line => line.includes('took off the dead mount')).length
  const known = /took off the dead mount|it was not unmounted cleanly|had not arrived whole|were without a name/
  const strange = lines.filter(line => !known.test(line))
  const problems = strange.map(line => `mount says: ${line}`)
  if (cleared !== (isFirst ? 0 : 1)) problems.push(`mount cleared ${cleared} dead mounts: ${lines.join('; ')}`)
  return { problems, replayed: lines.some(line => line.includes('replayed')) }
}

async function kill(daemon: Process, dir: string): Promise<string[]> {
  process.kill(daemon.pid, 'SIGKILL')
  if (!(await eventually(() => !isAlive(daemon)))) return ['the killed daemon is still there']
  // The kernel ends the connection when the last thread is gone, a moment after the process is.
  return (await eventually(() => codeOf(() => statSync(dir)) === 'ENOTCONN'))
    ? []
    : ['the mount does not answer ENOTCONN']
}

/** The rounds, and a last mount that is unmounted. Ends with the first round that is wrong. */
export async function runKills(
  image: string,
  dir: string,
  log: string,
  rounds: number,
  seed: number,
  onRound = (_round: number) => {},
): Promise<Killed> {
  const random = randomFrom(seed)
  const writers = KINDS.flatMap((name, kind) =>
    Array.from({ length: WRITERS }, (_, i) => ({
      name: `${name}-${i}`,
      kind,
      seed: seed + 1000 * (kind * WRITERS + i),
    })),
  )
  const problems: string[] = []
  let [steps, replayed] = [0, 0]
  const busy: Busy[] = []
  try {
    for (let round = 0; round <= rounds && problems.length === 0; round++) {
      const mounted = mount(image, dir, log, round === 0)
      problems.push(...mounted.problems)
      replayed += Number(mounted.replayed)
      const found = mountAt(dir)
      const daemon = found === undefined ? undefined : daemonOf(found)
      if (daemon === undefined) return { problems: [...problems, 'no daemon'], steps, replayed }
      if (round === 0) {
        for (const { name, kind, seed } of writers) {
          mkdirSync(join(dir, name))
          const workerData: BusyData = { kind, dir: join(dir, name), seed }
          busy.push({ name, worker: new Worker(new URL('./busy-writer.js', import.meta.url), { workerData }) })
        }
        // Their directories are there whatever happens.
        fsync(dir)
      }
      for (const report of await Promise.all(busy.map(one => ask(one, 'check')))) problems.push(...report.problems)
      if (round === rounds || problems.length > 0) break
      const work = busy.map(one => ask(one, 'work'))
      await sleep(random() * LIFE_MS)
      problems.push(...(await kill(daemon, dir)))
      for (const report of await Promise.all(work)) {
        problems.push(...report.problems)
        steps += report.steps
      }
      onRound(round)
    }
    const ran = hn4('umount', dir)
    if (ran.exit !== 0) problems.push(`umount: exit ${ran.exit}: ${ran.stderr}`)
    const said = readFileSync(log, 'utf8')
    problems.push(...said.split('\n').filter(line => /read-only|panic|defect/.test(line)))
    return { problems, steps, replayed }
  } finally {
    await Promise.all(busy.map(({ worker }) => worker.terminate()))
  }
}
