// Runs groups of rows on targets, in interleaved passes.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { output, runClient } from './client.mjs'
import { costs, countersOf } from './counters.mjs'
import { dropCaches } from './shell.mjs'

/** Takes the machine to where nothing of the filesystem is in memory. */
export async function makeCold(target) {
  if (target.hasDisk) await target.unmount()
  dropCaches()
  if (target.hasDisk) await target.mount()
}

/** A cold run that took nothing from the disk measured a cache. */
export function mustHaveRead(target, spent, name) {
  if (target.hasDisk && !(spent.readBytes > 0))
    throw new Error(`${name}: nothing came from the disk, so it was not cold`)
}

async function runProgram(stage, row, dir) {
  // The tree is made when it is first asked for: before the clock starts.
  const [program, ...args] = row.command(dir, stage.tree())
  const began = performance.now()
  const text = await output(program, args, row.input, row.exit)
  const seconds = (performance.now() - began) / 1000
  row.check?.(text, stage.tree())
  return { operations: row.count ?? 1, seconds }
}

/** One row on a mounted target: { figure, costs }, or undefined where the target has no such figure. */
async function runRow(stage, target, row) {
  if (row.measure !== undefined) {
    const figure = row.needs?.(target) === false ? undefined : await row.measure(target, stage)
    return figure === undefined ? undefined : { figure, costs: {} }
  }
  const dir = row.inside === undefined ? target.dir : join(target.dir, row.inside)
  if (row.isCold) await makeCold(target)
  if (row.inside !== undefined) mkdirSync(dir, { recursive: true })
  // Before the clock too: what it makes is not this row's.
  if (row.command !== undefined) stage.tree()
  const before = countersOf(target)
  const { operations, seconds } =
    row.work === undefined
      ? await runProgram(stage, row, dir)
      : await runClient(stage, row.work[0], dir, row.work.slice(1))
  const spent = costs(before, countersOf(target), operations)
  if (row.isCold) mustHaveRead(target, spent, row.name)
  return { figure: row.unit === 's' ? seconds : operations / seconds, costs: spent }
}

/** A group on one target, on a filesystem made for it. Calls `take(row, result)`. */
async function runGroup(stage, target, group, take) {
  if (group.needsImage && !target.hasImage) return
  target.bytes = group.bytes
  try {
    await target.make()
    await target.mount()
    for (const row of group.rows) {
      const result = await runRow(stage, target, row)
      if (!row.isHidden && result !== undefined) take(row, result)
    }
    await target.unmount()
  } finally {
    await target.destroy()
  }
}

/**
 * All groups on all targets, `passes` times, every other pass in reverse order. `take(target, group, row, result,
 * pass)`; `failed(target, group, error)`: the target's rows of that group are missing then; `done(group, pass, seconds)`:
 * of all targets by name.
 */
export async function runAll({ stage, targets, groups, passes, take, failed, done, isStopped }) {
  for (let pass = 0; pass < passes; pass++)
    for (const group of groups) {
      const seconds = {}
      for (const target of pass % 2 === 0 ? targets : [...targets].reverse()) {
        // Programs that are waited for hold up signals: here they are heard.
        await setImmediate()
        if (isStopped()) return
        const began = performance.now()
        try {
          await runGroup(stage, target, group, (row, result) => take(target, group, row, result, pass))
        } catch (error) {
          if (!isStopped()) failed(target, group, error)
        }
        seconds[target.name] = (performance.now() - began) / 1000
      }
      done(group, pass, seconds)
    }
}
