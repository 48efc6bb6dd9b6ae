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
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { filesBelow } from './bootstrap/stamps.mjs'
import { extendPath, say, stop } from './bootstrap/tools.mjs'
import { countTap, TapFilter } from './tap-lines.mjs'
import { switchUringOn } from './uring.mjs'

const top = join(dirname(fileURLToPath(import.meta.url)), '..')

/** Runs a program, shows those lines of its stdout that `wanted` names, and gives its exit code and all its text. */
function show(program, args, env, wanted = () => true) {
  return new Promise(resolve => {
    const child = spawn(program, args, { cwd: top, env, stdio: ['ignore', 'pipe', 'inherit'] })
    const lines = []
    createInterface({ input: child.stdout }).on('line', line => {
      lines.push(line)
      if (wanted(line)) console.log(line)
    })
    child.on('error', error => resolve({ exit: 127, text: '', why: error.message }))
    child.on('close', exit => resolve({ exit: exit ?? 1, text: lines.join('\n') }))
  })
}

/** Runs a program on our own terminal. */
function draw(program, args, env) {
  return new Promise(resolve => {
    const child = spawn(program, args, { cwd: top, env, stdio: ['ignore', 'inherit', 'inherit'] })
    child.on('error', error => resolve({ exit: 127, why: error.message }))
    child.on('close', exit => resolve({ exit: exit ?? 1 }))
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

async function runCargo(filters, env, what = ['--workspace']) {
  const args = ['test', '--no-fail-fast', ...what, '--manifest-path', 'native/Cargo.toml']
  if (process.env.CI === 'true') args.push('--locked')
  const done = await show('cargo', [...args, ...(filters.length > 0 ? ['--', ...filters] : [])], env)
  if (done.why !== undefined) say(`cargo: ${done.why}`)
  return withExit(countCargo(done.text), done.exit)
}

/** On a terminal tap draws by itself; in a log, plain lines: its own drawing is lost there. */
async function runTap(filters, env, folder) {
  const files = filesBelow('dist/test', ['.test.js']).filter(
    f => filters.length === 0 || filters.some(x => f.includes(x)),
  )
  if (files.length === 0) return nothing()
  const tap = join('node_modules/tap', JSON.parse(readFileSync('node_modules/tap/package.json', 'utf8')).bin.tap)
  const isTerminal = process.stdout.isTTY === true
  if (!isTerminal) {
    const filter = new TapFilter()
    const done = await show(process.execPath, [tap, '--reporter=tap', ...files], env, line => filter.shows(line))
    return withExit(countTap(done.text), done.exit)
  }
  const output = join(folder, 'output.tap')
  const done = await draw(process.execPath, [tap, '--reporter=base', `--output-file=${output}`, ...files], env)
  return withExit(countTap(readFileSync(output, 'utf8')), done.exit)
}

function countMounts(log) {
  // A test that mounts several times notes it several times.
  const lines = [...new Set(readFileSync(log, 'utf8').split('\n'))]
  const count = word => lines.filter(line => line.startsWith(`${word} `)).length
  return { ran: count('ran'), skipped: count('skipped'), uring: count('uring'), dev: count('dev') }
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
    const isUring = switchUringOn()
    let rust = words.includes('--ts') ? nothing() : await runCargo(filters, env)
    if (isUring && !words.includes('--ts')) {
      // The session's suite once more without: whoever mounts has one of the two.
      const dev = { ...env, HN4_TRANSPORT: 'dev' }
      rust = sum(rust, await runCargo(filters, dev, ['--package', 'hn4-fuse', '--test', 'mounted']))
    }
    const typescript = words.includes('--rust') ? nothing() : await runTap(filters, env, folder)
    const all = sum(rust, typescript)
    const mounts = countMounts(log)
    console.log(`\nRust: ${rust.passed} passed, TypeScript: ${typescript.passed} passed`)
    console.log(`session tests: ${mounts.uring} over io_uring, ${mounts.dev} over /dev/fuse`)
    console.log(`mount tests: ${mounts.ran} ran, ${mounts.skipped} skipped`)
    console.log(`${all.passed} passed, ${all.failed} failed${all.skipped > 0 ? `, ${all.skipped} skipped` : ''}`)
    if (all.passed + all.failed === 0) say('no test matches')
    process.exitCode = all.failed > 0 || all.passed === 0 ? 1 : 0
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

await main()
