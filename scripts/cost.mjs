// What operations cost before and after a change: CPU time and device requests per operation of two built
// checkouts, in interleaved pairs (docs/testing.md, "Cost").
//
//   node scripts/cost.mjs --before DIR --after DIR [--pairs 10] [--limit 1.03] [--only WORKLOAD] [--json FILE]
//
// Exit code 1: a judged median of after / before is over the limit; 2: it could not be measured; 16: usage.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { extendPath, need, readOptions, run, say, stop, which } from './bootstrap/tools.mjs'
import { costsOf, parseCpuList, stolenShare, summarize, table } from './cost/figures.mjs'
import { Stage } from './cost/stage.mjs'

const top = join(dirname(fileURLToPath(import.meta.url)), '..')
const USAGE = 'cost: --before DIR --after DIR [--pairs N] [--limit RATIO] [--only WORKLOAD] [--json FILE]'

/** A program of a build, wherever its package has it. */
const programOf = (build, name) => join(build, JSON.parse(readFileSync(join(build, 'package.json'), 'utf8')).bin[name])

function readSettings() {
  const text = { type: 'string' }
  const options = {
    before: text,
    after: text,
    pairs: { ...text, default: '10' },
    limit: { ...text, default: '1.03' },
    only: { ...text, multiple: true, default: [] },
    json: text,
  }
  const values = readOptions('cost', options)
  const [pairs, limit] = [Number(values.pairs), Number(values.limit)]
  const isValid = Number.isInteger(pairs) && pairs > 0 && limit > 0
  if (values.before === undefined || values.after === undefined || !isValid) stop(USAGE, 16)
  const builds = [resolve(values.before), resolve(values.after)]
  for (const build of builds) {
    const isBuilt = existsSync(join(build, 'package.json')) && existsSync(programOf(build, 'hn4'))
    if (!isBuilt) stop(`cost: ${build} is not built (npm run build there)`)
  }
  return { ...values, builds, pairs, limit }
}

function checkMachine() {
  if (process.getuid?.() !== 0) stop('cost: it takes root, for loop devices')
  for (const tool of ['chrt', 'losetup', 'taskset', 'umount'])
    if (which(tool) === undefined) stop(`cost: ${tool} (util-linux) is missing`)
}

/** The client, made from this checkout; both sides are measured by the same one. */
function buildClient() {
  extendPath()
  need(['cargo', 'cc'])
  const args = ['build', '--quiet', '--release', '--package', 'hn4-fuse', '--example', 'cost']
  const done = run('cargo', [...args, '--manifest-path', join(top, 'native/Cargo.toml')])
  if (!done.ok) stop(`cost: the client did not build (${done.why})`)
  return join(top, 'native/target/release/examples/cost')
}

/** [{ volume, name, ops, unit }]; with `only`, those wanted and what runs on their volume before them. */
async function workloads(stage, client, only) {
  const all = (await stage.run(client, ['list'])).trim().split('\n')
  const list = all.map(line => {
    const [volume, name, ops, unit] = line.split(' ')
    return { volume, name, ops: Number(ops), unit }
  })
  const unknown = only.find(name => list.every(workload => workload.name !== name))
  if (unknown !== undefined) throw new Error(`no workload ${unknown}: ${list.map(({ name }) => name).join(', ')}`)
  const isWanted = ({ name }) => only.length === 0 || only.includes(name)
  return list
    .map(workload => ({ ...workload, isWanted: isWanted(workload) }))
    .filter(({ volume }, i, marked) => marked.slice(i).some(later => later.volume === volume && later.isWanted))
}

/**
 * How the client starts, and with it the daemons: on one processor, the last we may use (interrupts mostly go to the
 * first), and without preemption at a wake-up. Otherwise what a wake-up costs depends on where threads happen to
 * sit, and how many writes leave together on who comes first: ratios of equal builds then differ by half.
 */
function pinned() {
  const [, list] = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))
  return ['chrt', '--batch', '0', 'taskset', '--cpu-list', String(parseCpuList(list).at(-1))]
}

/** One pair of every workload: adds [before, after] to its list in `costs`. */
async function measurePair(stage, client, list, builds, pair, costs) {
  // Neither side keeps a device or the first turn.
  const devices = pair % 2 === 0 ? stage.devices : [...stage.devices].reverse()
  const seed = String(pair + 1).padStart(32, '0')
  let volume
  for (const [i, workload] of list.entries()) {
    if (workload.volume !== volume) {
      volume = workload.volume
      for (const [side, build] of builds.entries()) {
        const mkfs = programOf(build, 'mkfs.hn4')
        await stage.run(process.execPath, [mkfs, '-q', '--force', '--seed', seed, devices[side]])
      }
    }
    const first = String((pair + i) % 2)
    const sides = builds.flatMap((build, side) => [programOf(build, 'hn4'), devices[side], stage.dirs[side]])
    const words = ['run', workload.name, first, process.execPath, ...sides]
    const [program, ...before] = pinned()
    const text = await stage.run(program, [...before, client, ...words])
    costs.get(workload.name)?.push(costsOf(text, workload.ops))
  }
}

/** Which commit a checkout is at, where git knows. */
function commitOf(build) {
  const done = spawnSync('git', ['-C', build, 'describe', '--always', '--dirty'], { encoding: 'utf8' })
  return done.status === 0 ? done.stdout.trim() : build
}

/** Prints the tables; whether all that is judged is within the limit. */
function report({ builds, limit }, pairs, machine, results) {
  const [before, after] = builds.map(commitOf)
  console.log(`before ${before}, after ${after}; ${pairs} pairs; medians, and of the ratios also the spread`)
  console.log(machine)
  for (const { name, ops, unit, rows } of results) {
    console.log(`\n${name}: ${ops.toLocaleString('en')} x ${unit}`)
    for (const line of table(rows)) console.log(line)
  }
  const over = results.flatMap(({ name, rows }) => rows.filter(row => row.isOver).map(row => ({ name, ...row })))
  console.log(`\n* is judged, at most ${limit}: ${over.length === 0 ? 'held' : 'not held'}`)
  for (const { name, title, ratio } of over) console.log(`  ${name}: ${title} ${ratio.toFixed(3)}`)
  return over.length === 0
}

async function measure(stage, settings, client) {
  const { builds, pairs, limit, only, json } = settings
  stage.open()
  const list = await workloads(stage, client, only)
  const wanted = list.filter(({ isWanted }) => isWanted)
  const costs = new Map(wanted.map(({ name }) => [name, []]))
  const [load, stat, began] = [loadavg()[0], readFileSync('/proc/stat', 'utf8'), performance.now()]
  let done = 0
  try {
    for (; done < pairs; done++) {
      await measurePair(stage, client, list, builds, done, costs)
      say(`cost: pair ${done + 1} of ${pairs}, ${((performance.now() - began) / 1000).toFixed(0)} s`)
    }
  } catch (error) {
    // Whoever stops a long run still sees what it has found.
    if (!stage.isStopped || done === 0) throw error
  }
  const stolen = (stolenShare(stat, readFileSync('/proc/stat', 'utf8')) * 100).toFixed(1)
  const cpu = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}`
  const machine = `${cpu}; load ${load.toFixed(1)} at the start, ${stolen} % of CPU time taken by the host`
  const results = wanted.map(({ name, ops, unit }) => {
    const runs = costs.get(name)
    return { name, ops, unit, rows: summarize(runs, limit), runs }
  })
  const isHeld = report(settings, done, machine, results)
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ machine, pairs: done, limit, results }, null, 1)}\n`)
  return isHeld ? 0 : 1
}

async function main() {
  const settings = readSettings()
  checkMachine()
  const client = buildClient()
  const stage = new Stage()
  let signalled
  for (const [name, number] of [
    ['SIGHUP', 1],
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ]) {
    process.on(name, () => {
      signalled = 128 + number
      say(`cost: stopped by ${name}`)
      stage.stop()
    })
  }
  try {
    process.exitCode = await measure(stage, settings, client)
  } catch (error) {
    if (signalled === undefined) say(`cost: ${error.message}`)
    process.exitCode = 2
  } finally {
    for (const what of stage.close()) say(`cost: left behind: ${what}`)
  }
  if (signalled !== undefined) process.exitCode = signalled
}

await main()
