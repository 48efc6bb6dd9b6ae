// Runs groups of rows on targets, in interleaved passes.
import { spawn } from 'node:child_process'
import { costs, countersOf } from './counters.mjs'
import { dropCaches } from './shell.mjs'

/** What runs now, in a process group of its own. */
let running

/** Ends what runs: its row fails. */
export function stopRunning() {
  if (running?.pid === undefined) return
  try {
    process.kill(-running.pid, 'SIGKILL')
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}

/** Output of a program, which may end with one other exit code than 0; as a promise, so that signals are heard. */
function output(program, args, input = '', exit = 0) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true })
    running = child
    let [text, errors] = ['', '']
    child.stdout.setEncoding('utf8').on('data', part => {
      text += part
    })
    child.stderr.setEncoding('utf8').on('data', part => {
      errors += part
    })
    child.on('error', reject)
    child.on('close', code =>
      code === 0 || code === exit ? resolve(text) : reject(new Error(`${program}: ${errors.trim() || `exit ${code}`}`)),
    )
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

/** One row on a mounted target: { figure, costs }. */
async function runRow(stage, target, row) {
  if (row.isCold) {
    if (target.hasDisk) {
      await target.unmount()
      dropCaches()
      await target.mount()
    } else dropCaches()
  }
  // The tree is made when it is first asked for: before the clock starts.
  const command = row.command?.(target.dir, stage.tree())
  const before = countersOf(target)
  const began = performance.now()
  let operations = row.count ?? 1
  let seconds
  if (row.work !== undefined) {
    const [what, ...rest] = row.work
    const done = JSON.parse(await output(stage.work, [what, target.dir, ...rest.map(String)]))
    operations = done.operations
    seconds = done.seconds
  } else {
    const [program, ...args] = command
    await output(program, args, row.input, row.exit)
    seconds = (performance.now() - began) / 1000
  }
  const spent = costs(before, countersOf(target), operations)
  if (row.readsDisk && target.hasDisk && !(spent.readBytes > 0))
    throw new Error(`${row.name}: nothing came from the disk, so it was not cold`)
  return { figure: row.unit === 's' ? seconds : operations / seconds, costs: spent }
}

/** A group on one target, on a filesystem made for it. Calls `take(row, result)`. */
async function runGroup(stage, target, group, take) {
  try {
    await target.make()
    await target.mount()
    for (const row of group.rows) {
      const result = await runRow(stage, target, row)
      if (!row.isHidden) take(row, result)
    }
    await target.unmount()
  } finally {
    await target.destroy()
  }
}

/**
 * All groups on all targets, `passes` times, every other pass in reverse order. `take(target, row, result, pass)`;
 * `failed(target, group, error)`: the target's rows of that group are missing then.
 */
export async function runAll({ stage, targets, groups, passes, take, failed, isStopped }) {
  for (let pass = 0; pass < passes; pass++)
    for (const group of groups)
      for (const target of pass % 2 === 0 ? targets : [...targets].reverse()) {
        if (isStopped()) return
        try {
          await runGroup(stage, target, group, (row, result) => take(target, row, result, pass))
        } catch (error) {
          if (!isStopped()) failed(target, group, error)
        }
      }
}
