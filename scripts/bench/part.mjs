// One part of a measurement: groups on targets, from the machine as it is to medians.
import { readFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { say, stop } from '../bootstrap/tools.mjs'
import { stolenShare } from '../cost/figures.mjs'
import { stopRunning } from './client.mjs'
import { medians } from './report.mjs'
import { runAll } from './run.mjs'
import { Stage } from './stage.mjs'
import { allTargets } from './targets/all.mjs'

/** Set by a signal: what runs is ended, and nothing more begins. */
let stopped = false

/** Makes signals end what runs in order, so that mounts, loop devices and the kernel's switch are put back. */
export function endInOrder() {
  for (const name of ['SIGHUP', 'SIGINT', 'SIGTERM'])
    process.on(name, () => {
      stopped = true
      stopRunning()
    })
}
export const isStopped = () => stopped

/** Targets by name, or those of `isDefault`; what cannot take part is said and left out. */
export function chooseTargets(stage, wanted, isDefault) {
  const all = allTargets(stage)
  const names = wanted?.split(',')
  const unknown = names?.find(name => all.every(target => target.name !== name))
  if (unknown !== undefined) stop(`bench: no target ${unknown}: ${all.map(({ name }) => name).join(', ')}`, 16)
  return all.filter(target => {
    if (names === undefined ? !isDefault(target) : !names.includes(target.name)) return false
    const missing = target.missing()
    if (missing !== null) say(`bench: without ${target.name}: ${missing}`)
    return missing === null
  })
}

/** What stands in the first line of a file of figures. */
export function machineNow() {
  const [stat, began] = [readFileSync('/proc/stat', 'utf8'), performance.now()]
  return settings => ({
    cpus: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    kernel: release(),
    ...settings,
    seconds: Math.round((performance.now() - began) / 1000),
    stolen_percent: Number((stolenShare(stat, readFileSync('/proc/stat', 'utf8')) * 100).toFixed(1)),
  })
}

/**
 * Measures. part: { groups, only, passes, targets, isDefault, isCosts, dir, top, treeFiles }.
 * Returns { machine, found, failures }: medians, and the names of targets of which something failed.
 */
export async function measure({ top, dir, part, settings }) {
  const stage = new Stage({ top, parent: dir, bytes: 4 * 2 ** 30, files: part.treeFiles, isCosts: part.isCosts })
  const results = []
  const failures = new Set()
  try {
    const targets = chooseTargets(stage, part.targets, part.isDefault)
    const machine = machineNow()
    await runAll({
      stage,
      targets,
      groups: part.groups,
      passes: part.passes,
      isStopped,
      take: ({ name: target, kind, transport }, { group }, row, { figure, costs }, pass) =>
        results.push({ target, kind, transport, group, row: row.name, unit: row.unit, pass, figure, costs }),
      done: ({ group }, pass, seconds) => {
        const each = Object.entries(seconds).map(([name, taken]) => `${name} ${taken.toFixed(1)} s`)
        say(`bench: pass ${pass + 1} of ${part.passes}, ${group}: ${each.join(', ')}`)
      },
      failed: (target, group, error) => {
        failures.add(target.name)
        say(`bench: ${target.name}, ${group.group}: ${error.message}`)
      },
    })
    return { machine: machine({ passes: part.passes, ...settings }), found: medians(results), failures }
  } finally {
    stage.close()
  }
}
