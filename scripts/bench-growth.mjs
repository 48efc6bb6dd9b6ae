// How the costs of hn4 grow with what it holds: `npm run bench:growth` (docs/benchmarks.md). Root.
//
//   [--full] [--targets a,b] [--only SERIES] [--dir DIR] [--json FILE] [--record]
//
// Exit code 2: a target failed; 16: usage.
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { SERIES } from './bench/growth/series.mjs'
import { chooseTargets, endInOrder, isStopped, machineNow } from './bench/part.mjs'
import { publish, tablesOf } from './bench/publish.mjs'
import { machineLine, toLines } from './bench/record.mjs'
import { Stage } from './bench/stage.mjs'
import { readOptions, say, stop } from './bootstrap/tools.mjs'

const top = join(dirname(fileURLToPath(import.meta.url)), '..')
const DEFAULT = ['hn4-uring', 'hn4-dev', 'ext4']

function readSettings() {
  const [text, flag] = [{ type: 'string' }, { type: 'boolean', default: false }]
  const options = {
    full: flag,
    record: flag,
    targets: text,
    only: text,
    json: text,
    dir: { ...text, default: tmpdir() },
  }
  const values = readOptions('bench:growth', options)
  if (values.only !== undefined && SERIES.every(({ name }) => name !== values.only))
    stop(`bench:growth: no series ${values.only}: ${SERIES.map(({ name }) => name).join(', ')}`, 16)
  if (values.record && values.only !== undefined) stop('bench:growth: --record is a whole run: without --only', 16)
  if (process.getuid?.() !== 0) stop('bench:growth: it takes root, to mount and to drop caches')
  return values
}

/** Points of a series on a target. Whether it ran to its end. */
async function runSeries(stage, target, series, isFull, points) {
  try {
    await series.run({
      stage,
      target,
      isFull,
      take: point =>
        points.push({
          series: series.name,
          target: target.name,
          ...point,
          figure: Number(point.figure.toPrecision(5)),
        }),
    })
    return true
  } catch (error) {
    if (!isStopped()) say(`bench:growth: ${target.name}, ${series.name}: ${error.message}`)
    return false
  } finally {
    await target.destroy()
  }
}

async function main() {
  const settings = readSettings()
  endInOrder()
  const stage = new Stage({ top, parent: settings.dir, bytes: 4 * 2 ** 30, files: 1 })
  const points = []
  try {
    const targets = chooseTargets(stage, settings.targets, ({ name }) => DEFAULT.includes(name))
    const machine = machineNow()
    for (const series of SERIES.filter(({ name }) => name === (settings.only ?? name)))
      for (const target of targets) {
        // Programs that are waited for hold up signals: here they are heard.
        await setImmediate()
        if (!isStopped() && !(await runSeries(stage, target, series, settings.full, points))) process.exitCode = 2
      }
    const where = machine({ passes: 1, full: settings.full })
    console.log(machineLine(where))
    for (const [title, lines] of tablesOf('growth', points)) console.log([`\n${title}`, ...lines].join('\n'))
    if (settings.json !== undefined) writeFileSync(settings.json, toLines(where, points))
    if (settings.record && !isStopped()) publish(top, 'growth', where, points)
  } finally {
    stage.close()
  }
}

await main()
