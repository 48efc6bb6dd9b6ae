// Runs all tests: the Rust ones with cargo, then the TypeScript ones with tap, and adds them up.
//
//   npm test                     everything
//   npm test -- cortex           only test files, and Rust tests, whose names contain "cortex"
//   npm test -- --ts | --rust    only one of the two
//
// tap finds no test by itself (it skips dist), quietly: the files are listed here, and the counts
// of the last line are checked by .ci/run.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { filesBelow } from './bootstrap/stamps.mjs'
import { extendPath, say, stop } from './bootstrap/tools.mjs'

const top = join(dirname(fileURLToPath(import.meta.url)), '..')

/** Runs a program, shows its output as it comes, and gives its exit code and the text of stdout. */
function show(program, args, env) {
  return new Promise(resolve => {
    const child = spawn(program, args, { cwd: top, env, stdio: ['ignore', 'pipe', 'inherit'] })
    const chunks = []
    child.stdout.on('data', chunk => {
      process.stdout.write(chunk)
      chunks.push(chunk)
    })
    child.on('error', error => resolve({ exit: 127, text: '', why: error.message }))
    child.on('close', (exit, signal) => resolve({ exit: exit ?? 1, text: Buffer.concat(chunks).toString(), signal }))
  })
}

const nothing = () => ({ passed: 0, failed: 0, skipped: 0 })
const sum = (a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped })

/** A program that fails without saying which test did counts as one failure. */
const withExit = (counts, exit) => (exit !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts)

/** Adds the `test result:` lines of all test programs of the workspace. */
function countCargo(text) {
  const lines = text.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;/gm)
  return [...lines].reduce(
    (all, [, passed, failed, skipped]) =>
      sum(all, { passed: Number(passed), failed: Number(failed), skipped: Number(skipped) }),
    nothing(),
  )
}

/**
 * A test is a point one level below its file: a t.test() or an assertion of the file itself. A
 * file that fails with all its tests good (it crashed, or ran out of time) is one failure more.
 */
function countTap(tap) {
  const all = nothing()
  let failedInFile = 0
  for (const line of tap.split('\n')) {
    const point = /^( {4})?(not )?ok \d+(.*)$/.exec(line)
    if (point === null) continue
    const [, indent, not, rest] = point
    if (indent === undefined) {
      if (not !== undefined && failedInFile === 0) all.failed++
      failedInFile = 0
    } else if (/ # (SKIP|TODO)\b/i.test(rest)) all.skipped++
    else if (not === undefined) all.passed++
    else {
      all.failed++
      failedInFile++
    }
  }
  return all
}

async function runCargo(filters, env) {
  const args = ['test', '--workspace', '--manifest-path', 'native/Cargo.toml']
  if (process.env.CI === 'true') args.push('--locked')
  const done = await show('cargo', [...args, ...(filters.length > 0 ? ['--', ...filters] : [])], env)
  if (done.why !== undefined) say(`cargo: ${done.why}`)
  return withExit(countCargo(done.text), done.exit)
}

async function runTap(filters, env, folder) {
  const files = filesBelow('dist/test', ['.test.js']).filter(
    f => filters.length === 0 || filters.some(x => f.includes(x)),
  )
  if (files.length === 0) return nothing()
  const output = join(folder, 'output.tap')
  const reporter = process.stdout.isTTY === true ? 'base' : 'min'
  const tap = join('node_modules', 'tap', JSON.parse(readFileSync('node_modules/tap/package.json', 'utf8')).bin.tap)
  const args = [tap, `--reporter=${reporter}`, `--output-file=${output}`, ...files]
  const done = await show(process.execPath, args, env)
  try {
    return withExit(countTap(readFileSync(output, 'utf8')), done.exit)
  } catch (error) {
    say(`tap left no result: ${error.message}`)
    return { ...nothing(), failed: 1 }
  }
}

function countMounts(log) {
  const lines = readFileSync(log, 'utf8').split('\n')
  const count = word => lines.filter(line => line.startsWith(`${word} `)).length
  return { ran: count('ran'), skipped: count('skipped') }
}

async function main() {
  process.chdir(top)
  extendPath()
  const words = process.argv.slice(2)
  const filters = words.filter(word => !word.startsWith('--'))
  const unknown = words.find(word => word.startsWith('--') && word !== '--ts' && word !== '--rust')
  if (unknown !== undefined) stop(`test: unknown option ${unknown} (known: --ts, --rust)`, 16)

  const folder = mkdtempSync(join(tmpdir(), 'hn4-test-'))
  try {
    const log = join(folder, 'mounts')
    writeFileSync(log, '')
    const env = { ...process.env, HN4_MOUNT_LOG: log }
    const rust = words.includes('--ts') ? nothing() : await runCargo(filters, env)
    const typescript = words.includes('--rust') ? nothing() : await runTap(filters, env, folder)
    const all = sum(rust, typescript)
    const mounts = countMounts(log)
    console.log(`\nRust: ${rust.passed} passed, TypeScript: ${typescript.passed} passed`)
    console.log(`mount tests: ${mounts.ran} ran, ${mounts.skipped} skipped`)
    console.log(`${all.passed} passed, ${all.failed} failed${all.skipped > 0 ? `, ${all.skipped} skipped` : ''}`)
    if (all.passed + all.failed === 0) say('no test matches')
    process.exitCode = all.failed > 0 || all.passed === 0 ? 1 : 0
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

await main()
