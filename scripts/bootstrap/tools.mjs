// Finding and, as root on Debian or Ubuntu, installing the tools that the build needs.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { parseArgs } from 'node:util'

/** Oldest Rust that builds native/ (rust-version in native/Cargo.toml). */
const RUST_MIN = [1, 85]

export const say = text => process.stderr.write(`hn4: ${text}\n`)

/** Ends the run: one line that says what to do. Never returns. */
export function stop(text, code = 2) {
  say(text)
  process.exit(code)
}

/** What the command line of a script says; ends the run with 16 where it has no such option. */
export function readOptions(script, options) {
  try {
    return parseArgs({ options }).values
  } catch (error) {
    return stop(`${script}: ${error.message}`, 16)
  }
}

/** Runs a program with its output on stderr (stdout belongs to the command that follows). */
export function run(program, args, options = {}) {
  const done = spawnSync(program, args, { stdio: ['ignore', 2, 2], ...options })
  if (done.error) return { ok: false, why: done.error.message }
  return { ok: done.status === 0, why: done.signal ? `signal ${done.signal}` : `exit code ${done.status}` }
}

/** Adds rustup's folder to PATH where a login shell has not, so that a fresh rustup is found. */
export function extendPath() {
  const rustup = join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'bin')
  const parts = (process.env.PATH ?? '').split(delimiter)
  if (!parts.includes(rustup) && existsSync(rustup)) process.env.PATH = [...parts, rustup].join(delimiter)
}

/** Absolute path of a program on PATH (also in sbin), or undefined. */
export function which(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
  for (const folder of folders.filter(f => f !== '')) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {}
  }
  return undefined
}

const output = (program, args) => spawnSync(program, args, { encoding: 'utf8' }).stdout ?? ''

function rustVersion() {
  const found = /^cargo (\d+)\.(\d+)/.exec(output('cargo', ['--version']))
  return found ? [Number(found[1]), Number(found[2])] : undefined
}

const rustRecentEnough = v => v !== undefined && (v[0] > RUST_MIN[0] || (v[0] === RUST_MIN[0] && v[1] >= RUST_MIN[1]))

/** True on Debian, Ubuntu and their children, where apt-get is the way to install. */
function hasApt() {
  try {
    const text = readFileSync('/etc/os-release', 'utf8')
    return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(text) && which('apt-get') !== undefined
  } catch {
    return false
  }
}

const aptKnows = name => /^\s*Candidate: (?!\(none\))\S/m.test(output('apt-cache', ['policy', name]))

/** Debian 12 keeps a recent Rust in cargo-web beside an old one in cargo. */
const variant = (recent, plain) => (aptKnows(recent) ? recent : plain)

const TOOLS = {
  cargo: { present: () => rustRecentEnough(rustVersion()), packages: () => [variant('cargo-web', 'cargo')] },
  cc: { present: () => which('cc') !== undefined, packages: () => ['gcc', 'libc6-dev'] },
  fuse3: { present: () => which('fusermount3') !== undefined, packages: () => ['fuse3'] },
  rustfmt: { present: () => which('rustfmt') !== undefined, packages: () => [variant('rustfmt-web', 'rustfmt')] },
  clippy: {
    present: () => which('cargo-clippy') !== undefined,
    packages: () => [variant('rust-web-clippy', 'rust-clippy')],
  },
}

function install(names) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  run('apt-get', ['update', '-q'], { env })
  const packages = names.flatMap(name => TOOLS[name].packages())
  say(`installing ${packages.join(' ')} with apt-get`)
  run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...packages], { env })
}

/** The command a person types to get the named tools. */
function advice(names) {
  if (!hasApt())
    return `install ${names.join(', ')} with your system's package manager (Rust ${RUST_MIN.join('.')} or newer)`
  const packages = names.flatMap(name => TOOLS[name].packages())
  return `apt-get update && apt-get install -y ${packages.join(' ')}`
}

/**
 * Makes sure the named tools are there. `wanted` ones are installed where possible and only
 * reported where not; missing `required` ones end the run with exit code 2.
 */
export function need(required, wanted = []) {
  const absent = names => names.filter(name => !TOOLS[name].present())
  const missing = absent([...required, ...wanted])
  if (missing.length === 0) return
  if (process.getuid?.() === 0 && hasApt()) {
    say(`missing: ${missing.join(', ')}`)
    install(missing)
  }
  const optional = absent(wanted)
  const left = absent(required)
  if (left.includes('cargo') && rustVersion() !== undefined) {
    stop(`cargo ${rustVersion().join('.')} is too old, Rust ${RUST_MIN.join('.')} or newer is needed: ${advice(left)}`)
  }
  if (left.length > 0) stop(`missing: ${left.join(', ')}; run: ${advice(left)}`)
  if (optional.length > 0) say(`without ${optional.join(', ')} only root can mount; run: ${advice(optional)}`)
}
