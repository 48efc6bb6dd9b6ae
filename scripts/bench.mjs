// hn4 beside others, in one run on one disk: `npm run bench` (docs/benchmarks.md). Root: it mounts, and drops caches.
//
// Exit code 2: a target failed where it should not; 16: usage.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chart } from './bench/chart.mjs'
import { against } from './bench/costs-table.mjs'
import { endInOrder, isStopped, measure } from './bench/part.mjs'
import { publish, publishAgain, tablesOf } from './bench/publish.mjs'
import { machineLine, readLines, toLines } from './bench/record.mjs'
import { fillGroups, mainGroups } from './bench/workloads/all.mjs'
import { readOptions, stop } from './bootstrap/tools.mjs'

const top = join(dirname(fileURLToPath(import.meta.url)), '..')
/** Files of the source tree, at most. */
const TREE_FILES = { short: 2000, full: 20_000, costs: 1000 }
/** Targets where no others are named: ours, the limit, and the filesystem that most machines have. */
const MAIN_TARGETS = [
  ...['hn4-uring', 'hn4-dev', 'limit-uring', 'limit-dev', 'memvfs-uring', 'memvfs-dev'],
  ...['ext4', 'ext4-direct'],
]
/** Targets of `--fill`, where no others are named: what keeps its data in an image. */
const FILL_TARGETS = ['hn4-uring', 'hn4-dev', 'ext4', 'ext4-direct', 'xfs', 'btrfs', 'fuse2fs', 'ntfs-3g']

function readSettings() {
  const [text, flag] = [{ type: 'string' }, { type: 'boolean', default: false }]
  const options = {
    full: flag,
    fill: flag,
    peers: flag,
    costs: flag,
    record: flag,
    render: flag,
    passes: { ...text, default: '3' },
    targets: text,
    only: text,
    dir: { ...text, default: tmpdir() },
    json: text,
    chart: text,
    against: text,
  }
  const values = readOptions('bench', options)
  const passes = Number(values.passes)
  if (!Number.isInteger(passes) || passes < 1) stop('bench: --passes takes a number from 1 up', 16)
  if (values.record && (values.only ?? values.json ?? values.chart ?? values.against) !== undefined)
    stop('bench: --record is a whole run: without --only, --json, --chart, --against', 16)
  if (!values.render && process.getuid?.() !== 0) stop('bench: it takes root, to mount and to drop caches')
  return { ...values, passes, costs: values.costs || values.against !== undefined }
}

/** Parts by name: what is measured, and the tables of it. */
function partOf(name, settings) {
  const size = name === 'costs' ? 'costs' : settings.full ? 'full' : 'short'
  const part = { passes: settings.passes, targets: settings.targets, treeFiles: TREE_FILES[size], isCosts: false }
  if (name === 'fill')
    return { ...part, groups: fillGroups(settings.full), isDefault: ({ name }) => FILL_TARGETS.includes(name) }
  const isDefault = target =>
    settings.full || ((settings.peers || settings.record) && !target.isSlow) || MAIN_TARGETS.includes(target.name)
  if (name === 'run') return { ...part, groups: mainGroups(size), isDefault }
  const groups = mainGroups(size).filter(({ rows }) => rows.every(row => row.measure === undefined))
  // Costs are asked of hn4 alone.
  const ours = settings.targets?.split(',').filter(target => target.startsWith('hn4'))
  const targets = ours === undefined || ours.length === 0 ? undefined : ours.join(',')
  return { ...part, targets, groups, isDefault: ({ kind }) => kind === 'hn4', isCosts: true }
}

/** Measures a part, prints and writes what it gave. Whether all of ours ran. */
async function run(name, settings) {
  const part = partOf(name, settings)
  const isWanted = row => settings.only === undefined || row.name.includes(settings.only)
  part.groups = part.groups.filter(({ rows }) => rows.some(isWanted))
  const { machine, found, failures } = await measure({
    top,
    dir: settings.dir,
    part,
    settings: { full: settings.full },
  })
  const tables = tablesOf(name, found)
  if (settings.against !== undefined)
    tables.push([`Beside ${settings.against}`, against(found, readLines(settings.against).found)])
  console.log(machineLine(machine))
  for (const [title, lines] of tables.filter(([, lines]) => lines.length > 0))
    console.log([`\n${title}`, ...lines].join('\n'))
  if (settings.json !== undefined) writeFileSync(settings.json, toLines(machine, found))
  if (settings.chart !== undefined) writeFileSync(settings.chart, chart('hn4 and others', found))
  if (settings.record && !isStopped()) publish(top, name, machine, found)
  // Peers may fail at what they do not have; we may not.
  return ![...failures].some(target => /^(hn4|limit|memvfs)/.test(target))
}

async function main() {
  const settings = readSettings()
  if (settings.render) return publishAgain(top)
  endInOrder()
  const single = settings.costs ? 'costs' : settings.fill ? 'fill' : 'run'
  for (const name of settings.record ? ['run', 'fill', 'costs'] : [single]) {
    const isWhole = !isStopped() && (await run(name, settings))
    if (!isWhole) process.exitCode = 2
  }
  if (settings.record && !isStopped()) {
    const args = [join(top, 'scripts/bench-growth.mjs'), '--record', '--dir', settings.dir]
    if (settings.full) args.push('--full')
    if (settings.targets !== undefined) args.push('--targets', settings.targets)
    const done = spawnSync(process.execPath, args, { stdio: 'inherit' })
    if (done.status !== 0) process.exitCode = 2
  }
}

await main()
