/** Rules of the project that no compiler checks: sizes of files, import direction, names, options. */
import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import t from 'tap'
import { HN4 } from '../cli/commands.ts'
import { fsck } from '../fsck-scrub/command.ts'
import { mkfs } from '../mkfs/command.ts'
import { PACKAGE_TOP } from '../src/base/package.ts'
import { allOptions, type Command } from '../src/console/command.ts'
import { helpText, optionSyntax } from '../src/console/help.ts'
import { mountHelper } from '../src/mount/helper-command.ts'
import { isGenerated, readSource, type Source, sources, withoutComments } from './support/sources.ts'

const LINES_MAX = 500
const LINES_WARN = 250

const all = sources()
const isTypeScript = (source: Source) => source.path.endsWith('.ts')
const isCode = (source: Source) => /\.(ts|mjs|rs|sh)$/.test(source.path)

t.test('the project has sources', async t => {
  t.ok(all.filter(isTypeScript).length > 20)
  t.ok(all.filter(source => source.path.endsWith('.rs')).length > 5)
})

t.test(`no file of code is longer than ${LINES_MAX} lines`, async t => {
  for (const source of all.filter(source => isCode(source) && !isGenerated(source))) {
    const lines = source.text.split('\n').length - 1
    if (lines > LINES_WARN) t.comment(`${source.path}: ${lines} lines`)
    if (lines > LINES_MAX) t.fail(`${source.path}: ${lines} lines`)
  }
})

/** Height of each TypeScript folder; a file imports from its own folder or from lower ones. */
const LAYERS: Readonly<Record<string, number>> = {
  'src/base': 0,
  'src/format': 1,
  'src/device': 2,
  'src/native': 2,
  'src/control': 3,
  'src/reader': 3,
  'src/console': 4,
  'src/writer': 4,
  mkfs: 5,
  'fsck-scrub': 5,
  'src/image': 5,
  'src/mount': 5,
  'src/demo': 6,
  cli: 7,
}

const folderOf = (path: string) =>
  path
    .split('/')
    .slice(0, path.startsWith('src/') ? 2 : 1)
    .join('/')

/** Paths, from the top, of the project's files that a file imports. */
function relativeImports(source: Source): string[] {
  const found = withoutComments(source.text).matchAll(/(?:\bfrom|\bimport\s*\(?)\s*'(\.{1,2}\/[^']+)'/g)
  return [...found].map(([, path = '']) => normalize(join(dirname(source.path), path)))
}

t.test('TypeScript folders import downwards only', async t => {
  for (const source of all.filter(source => isTypeScript(source) && !source.path.startsWith('test/'))) {
    const from = folderOf(source.path)
    const height = LAYERS[from]
    if (height === undefined) t.fail(`${source.path}: no layer for ${from}; add it to docs/architecture.md and here`)
    for (const path of relativeImports(source)) {
      const to = folderOf(path)
      const isFine = to === from || (LAYERS[to] ?? Number.POSITIVE_INFINITY) < (height ?? 0)
      if (!isFine) t.fail(`${source.path} imports ${path}: ${to} is not below ${from}`)
    }
  }
})

/** Height of each module of hn4-core. */
const CORE_LAYERS: Readonly<Record<string, number>> = {
  base: 0,
  format: 1,
  device: 2,
  transaction: 2,
  pages: 3,
  superblocks: 3,
  cortex: 4,
  allocator: 4,
  log: 4,
  directory: 4,
  extension: 4,
  presence: 4,
  volume: 5,
  vfs: 6,
}
const CORE = 'native/core/src/'

/** Tests may use anything: files of tests, and what follows `#[cfg(test)] mod tests {`. */
const isRustTest = (path: string) => /(^|\/)(tests?|testing|\w+_tests?|test_\w+)(\.rs$|\/)/.test(path)
const withoutTests = (text: string) => text.replace(/#\[cfg\(test\)\]\s*mod \w+ \{[\s\S]*$/, '')

/** Modules of `crate::` that a Rust file names, also in `use crate::{a, b}`. */
function crateModules(text: string): string[] {
  const code = withoutComments(text)
  const single = [...code.matchAll(/\bcrate::(\w+)/g)].map(([, name = '']) => name)
  const grouped = [...code.matchAll(/\bcrate::\{([^;]*)\}/g)].flatMap(([, inner = '']) =>
    inner
      .replace(/\{[^{}]*\}/g, '')
      .split(',')
      .map(part => part.trim().split('::')[0] ?? ''),
  )
  return [...single, ...grouped].filter(name => name !== '')
}

t.test('modules of hn4-core import downwards only', async t => {
  const modules = all.filter(source => source.path.startsWith(CORE) && source.path.endsWith('.rs'))
  for (const { path, text } of modules) {
    const inside = path.slice(CORE.length)
    const from = inside.replace(/\.rs$/, '').split('/')[0] ?? ''
    if (from === 'lib' || isRustTest(inside)) continue
    const height = CORE_LAYERS[from]
    if (height === undefined) t.fail(`${path}: no layer for ${from}; add it to docs/architecture.md and here`)
    for (const to of crateModules(withoutTests(text))) {
      const isBelow = to === from || (CORE_LAYERS[to] ?? Number.POSITIVE_INFINITY) < (height ?? 0)
      if (!isBelow) t.fail(`${path} uses crate::${to}, which is not below ${from}`)
    }
  }
  t.notMatch(
    readSource('native/core/Cargo.toml'),
    /^(napi|hn4-fuse|hn4-node|fuser)\b/m,
    'the core knows neither Node nor FUSE',
  )
})

t.test('no type any', async t => {
  for (const source of all.filter(isTypeScript)) {
    const found = /(?::|<|\bas|\||,)\s*any\b(?!\w)(?=\s*[[\])>,;=|}\n])/.exec(
      stripStrings(withoutComments(source.text)),
    )
    if (found !== null) t.fail(`${source.path}: ${found[0]}`)
  }
})

function stripStrings(text: string): string {
  return text.replace(/'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g, "''")
}

t.test('lock files name no download addresses', async t => {
  t.notMatch(readSource('package-lock.json'), /"resolved"|\.tgz/)
  for (const [, address] of readSource('native/Cargo.lock').matchAll(/^source = "([^"]+)"$/gm)) {
    t.equal(address, 'registry+https://github.com/rust-lang/crates.io-index')
  }
  t.notMatch(readSource('.npmrc'), /^(\S*:)?registry\s*=|_auth|proxy/im)
})

t.test('no path of a home directory stands in the project', async t => {
  // Put together here, so that this file does not find itself.
  const homes = new RegExp(`(?<![\\w.~:-])/(?:${['ro', 'ho'].map((a, i) => a + ['ot', 'me'][i]).join('|')})/\\w`)
  for (const source of all) {
    const found = homes.exec(source.text)
    if (found !== null) t.fail(`${source.path}: ${found[0]}...`)
  }
})

const TOOLS: readonly (readonly [tool: string, command: Command])[] = [
  ['hn4', HN4],
  ['mkfs.hn4', mkfs],
  ['fsck.hn4', fsck],
  ['mount.hn4', mountHelper],
]

/** A tool with all its subcommands, each under the name a person types. */
function withSubcommands(tool: string, command: Command): (readonly [string, Command])[] {
  const below = (command.commands ?? []).flatMap(sub => withSubcommands(`${tool} ${sub.name}`, sub))
  return [[tool, command], ...below]
}

t.test('every option stands in the help and, once there are any, in the man pages', async t => {
  for (const [tool, root] of TOOLS) {
    const man = `man/${tool}.8`
    const manual = existsSync(join(PACKAGE_TOP, 'man')) ? readSource(man).replace(/\\-/g, '-') : undefined
    for (const [name, command] of withSubcommands(tool, root)) {
      const help = helpText(name, command)
      for (const option of allOptions(command).filter(option => option.hidden !== true)) {
        if (!help.includes(optionSyntax(option))) t.fail(`${name} --help lacks --${option.name}`)
        if (manual?.includes(`--${option.name}`) === false) t.fail(`${man} lacks --${option.name} of ${name}`)
      }
    }
  }
})

t.test('commands are described completely and without contradiction', async t => {
  for (const [name, command] of TOOLS.flatMap(([tool, root]) => withSubcommands(tool, root))) {
    t.ok(command.examples.length >= 3, `${name} has three examples`)
    t.notMatch(command.summary, /\.$|^[A-Z]/, `${name}: summary is lower case without a full stop`)
    const letters = allOptions(command).flatMap(option => [option.short, ...(option.alsoShort ?? [])])
    const given = letters.filter(letter => letter !== undefined)
    t.equal(new Set(given).size, given.length, `${name}: each letter once`)
    const names = allOptions(command).map(option => option.name)
    t.equal(new Set(names).size, names.length, `${name}: each long name once`)
  }
})
