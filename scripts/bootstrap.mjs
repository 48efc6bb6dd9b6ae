// Makes a fresh clone runnable: packages, native addon, TypeScript. Each step is skipped while its
// inputs are unchanged, so a second run costs well under a second. Uses only node: modules, for
// nothing else is there yet. `--lint-tools` also wants rustfmt and clippy (.ci/run).
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { dropStamp, filesBelow, hashOf, isFresh, writeStamp } from './bootstrap/stamps.mjs'
import { extendPath, need, run, say, stop } from './bootstrap/tools.mjs'

const top = join(dirname(fileURLToPath(import.meta.url)), '..')
const NODE_MIN = [20, 19]
const TS_FOLDERS = ['src', 'mkfs', 'fsck-scrub', 'cli', 'test']

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return
  stop(`hn4 needs Node ${NODE_MIN.join('.')} or newer, this is ${process.versions.node}`)
}

/** Runs `work` unless its inputs are those of the last success and its product is there. */
function step(name, hash, product, work) {
  if (isFresh(top, name, hash) && existsSync(join(top, product))) return
  dropStamp(top, name)
  work()
  writeStamp(top, name, hash)
}

function installPackages() {
  say('installing packages (npm ci)')
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
  // npm names its own script when it runs us; else npm is a program on PATH.
  const npm = process.env.npm_execpath?.endsWith('.js') ? [process.execPath, process.env.npm_execpath] : ['npm']
  const done = run(npm[0], [...npm.slice(1), ...args], { cwd: top })
  if (!done.ok) stop(`npm ci failed (${done.why}); see above`)
}

const nativeName = () => readdirSync(join(top, 'native')).find(name => /^hn4\..*\.node$/.test(name))

function buildAddon() {
  say('building the native addon (cargo, about a minute the first time)')
  const output = join(top, 'native/target/addon')
  rmSync(output, { recursive: true, force: true })
  mkdirSync(output, { recursive: true })
  const napi = JSON.parse(readFileSync(join(top, 'node_modules/@napi-rs/cli/package.json'), 'utf8')).bin.napi
  const args = [
    join(top, 'node_modules/@napi-rs/cli', napi),
    'build',
    '--release',
    '--platform',
    '--no-js',
    '--manifest-path',
    'native/node/Cargo.toml',
    '--package-json-path',
    'package.json',
    '--output-dir',
    output,
    // In CI the committed Cargo.lock is the truth; at home a new dependency may add to it.
    ...(process.env.CI === 'true' ? ['--', '--locked'] : []),
  ]
  const done = run(process.execPath, args, { cwd: top })
  if (!done.ok) stop(`the native addon did not build (${done.why}); see above`)
  const built = readdirSync(output).find(name => name.endsWith('.node'))
  if (built === undefined) stop('the native addon did not build: napi left no .node file')
  // Renamed into place: a running mount keeps the file it has mapped.
  const target = join(top, 'native', built)
  copyFileSync(join(output, built), `${target}.new`)
  renameSync(`${target}.new`, target)
}

/** Compiled files whose source is gone would still run as tests. */
function pruneOutput() {
  for (const folder of TS_FOLDERS) {
    for (const file of filesBelow(join(top, 'dist', folder), ['.js', '.js.map'])) {
      const source = join(top, relative(join(top, 'dist'), file)).replace(/\.js(\.map)?$/, '.ts')
      if (!existsSync(source)) rmSync(file)
    }
  }
}

function compileTypeScript() {
  say('compiling TypeScript (tsc)')
  const done = run(process.execPath, [join(top, 'node_modules/typescript/bin/tsc'), '-p', top], { cwd: top })
  if (!done.ok) stop(`TypeScript did not compile (${done.why}); see above`)
  pruneOutput()
  const { bin } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8'))
  for (const path of Object.values(bin)) chmodSync(join(top, path), 0o755)
}

function main() {
  checkNode()
  process.chdir(top)
  extendPath()
  const lintTools = process.argv.includes('--lint-tools') ? ['rustfmt', 'clippy'] : []
  const platform = [process.platform, process.arch]

  const deps = hashOf(['package-lock.json', 'package.json'], [...platform, process.versions.modules])
  step('deps', deps, 'node_modules/typescript/bin/tsc', installPackages)

  const sources = filesBelow('native', ['.rs', '.toml', '.lock', '.json'])
  const native = hashOf(sources, platform)
  if (lintTools.length > 0) need([...lintTools, 'cargo', 'cc'])
  step('native', native, join('native', nativeName() ?? 'hn4.node'), () => {
    need(['cargo', 'cc'], process.platform === 'linux' ? ['fuse3'] : [])
    buildAddon()
  })

  const code = hashOf(
    ['tsconfig.json', 'package.json', ...TS_FOLDERS.flatMap(f => filesBelow(f, ['.ts', '.json']))],
    [deps],
  )
  step('ts', code, 'dist/cli/main.js', compileTypeScript)
}

main()
