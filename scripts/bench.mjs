// hn4 beside others, in one run on one disk: `npm run bench` (docs/benchmarks.md). Root: it mounts, and drops caches.
//
//   [--full] [--passes 3] [--targets a,b] [--only TEXT] [--dir DIR] [--json FILE] [--chart FILE] [--against FILE]
//
// Exit code 2: a target failed where it should not; 16: usage.
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, release, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { chart } from './bench/chart.mjs'
import { against, medians, table } from './bench/report.mjs'
import { runAll, stopRunning } from './bench/run.mjs'
import { Stage } from './bench/stage.mjs'
import { allTargets } from './bench/targets/all.mjs'
import { allGroups } from './bench/workloads.mjs'
import { say, stop } from './bootstrap/tools.mjs'
import { stolenShare } from './cost/figures.mjs'

const top = join(dirname(fileURLToPath(import.meta.url)), '..')

function readSettings() {
  const text = { type: 'string' }
  const options = {
    full: { type: 'boolean', default: false },
    passes: { ...text, default: '3' },
    targets: text,
    only: text,
    dir: { ...text, default: tmpdir() },
    json: text,
    chart: text,
    against: text,
  }
  let values
  try {
    values = parseArgs({ options }).values
  } catch (error) {
    stop(`bench: ${error.message}`, 16)
  }
  const passes = Number(values.passes)
  if (!Number.isInteger(passes) || passes < 1) stop('bench: --passes takes a number from 1 up', 16)
  if (process.getuid?.() !== 0) stop('bench: it takes root, to mount and to drop caches')
  return { ...values, passes }
}

/** Rows as lines of JSON, one a line, behind one that says where they were taken. */
const readLines = path =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
    .slice(1)

function choose(stage, wanted, full) {
  const all = allTargets(stage)
  const names = wanted?.split(',')
  const unknown = names?.find(name => all.every(target => target.name !== name))
  if (unknown !== undefined) stop(`bench: no target ${unknown}: ${all.map(({ name }) => name).join(', ')}`, 16)
  return all.filter(target => {
    if (names === undefined ? target.isSlow && !full : !names.includes(target.name)) return false
    const missing = target.missing()
    if (missing !== null) say(`bench: without ${target.name}: ${missing}`)
    return missing === null
  })
}

async function main() {
  const settings = readSettings()
  const stage = new Stage({ top, parent: settings.dir, bytes: 4 * 2 ** 30 })
  let stopped = false
  for (const name of ['SIGHUP', 'SIGINT', 'SIGTERM'])
    process.on(name, () => {
      stopped = true
      stopRunning()
    })
  const results = []
  const failures = new Set()
  try {
    const targets = choose(stage, settings.targets, settings.full)
    const isWanted = row => settings.only === undefined || row.name.includes(settings.only)
    const groups = allGroups(settings.full).filter(({ rows }) => rows.some(isWanted))
    const stat = readFileSync('/proc/stat', 'utf8')
    const began = performance.now()
    await runAll({
      stage,
      targets,
      groups,
      passes: settings.passes,
      isStopped: () => stopped,
      take: (target, row, { figure, costs }, pass) =>
        results.push({ target: target.name, kind: target.kind, row: row.name, unit: row.unit, pass, figure, costs }),
      failed: (target, group, error) => {
        failures.add(target.name)
        say(`bench: ${target.name}, ${group.group}: ${error.message}`)
      },
    })
    const found = medians(results)
    const stolen = (stolenShare(stat, readFileSync('/proc/stat', 'utf8')) * 100).toFixed(1)
    const machine = {
      cpus: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
      kernel: release(),
      passes: settings.passes,
      full: settings.full,
      seconds: Math.round((performance.now() - began) / 1000),
      stolen_percent: Number(stolen),
    }
    console.log(
      `${machine.cpus}, Linux ${machine.kernel}, ${machine.passes} passes, ${machine.seconds} s, ${stolen} % taken by the host`,
    )
    for (const line of table(found)) console.log(line)
    if (settings.against !== undefined)
      for (const line of against(found, readLines(settings.against))) console.log(line)
    if (settings.json !== undefined)
      writeFileSync(settings.json, [machine, ...found].map(one => `${JSON.stringify(one)}\n`).join(''))
    if (settings.chart !== undefined) writeFileSync(settings.chart, chart('hn4 and others', found))
    // Peers may fail at what they do not have; we may not.
    if ([...failures].some(name => /^(hn4|limit)/.test(name))) process.exitCode = 2
  } finally {
    stage.close()
  }
}

await main()
