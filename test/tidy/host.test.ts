/** Names of the host are bytes: what would make other bytes of them is kept in three files. */
import t from 'tap'
import { none } from '../support/faults.ts'
import { type Source, sources, withoutComments } from '../support/sources.ts'

const KEEPERS = ['src/base/host-files.ts', 'src/base/host-process.ts']

/** What Node decodes on its own, or takes only as UTF-8. */
const DECODED = [
  /\bfrom 'node:fs(?:\/promises)?'/,
  /\btmpdir\b/,
  /\bprocess\.(?:cwd|argv)\b/,
  // With one argument it stands on the working directory; src/base/host-files.ts resolvePath does it.
  /\bresolve\((?:[^(),]|\([^()]*\))*\)/,
]

/** A parameter of the addon by which a path comes. */
const PATH_AS_STRING = /\b(?:path|image|mountpoint|socket|own|file|dir): (?:Option<)?(?:String|&str)\b/

/** The daemon's argument is JSON, written by src/mount/start.ts. */
const FINE: Readonly<Record<string, RegExp>> = { 'src/mount/daemon.ts': /process\.argv\[2\]/g }

function problems({ path, text }: Source): string[] {
  const code = withoutComments(text).replace(FINE[path] ?? /(?!)/g, '')
  if (path.endsWith('.ts')) {
    const imported = /\bresolve\b[^}]*\} from 'node:path'/.test(code)
    const rules = imported ? DECODED : DECODED.slice(0, -1)
    return rules.filter(rule => rule.test(code)).map(rule => `${path}: ${rule.source}`)
  }
  return code.split('\n').some(line => PATH_AS_STRING.test(line)) ? [`${path}: a path as a String`] : []
}

const isShipped = ({ path }: Source): boolean =>
  (path.endsWith('.ts') && !path.startsWith('test/') && !KEEPERS.includes(path)) ||
  (path.startsWith('native/node/src/') && path.endsWith('.rs'))

t.test('names of the host pass through src/base/host-files.ts and host-process.ts', async t => {
  const code = sources().filter(isShipped)
  t.ok(code.length > 150)
  none(t, code.flatMap(problems))
})

t.test('the rule finds what it is about', async t => {
  const found = (path: string, text: string) => problems({ path, text }).length
  t.equal(found('a.ts', "import { readFileSync } from 'node:fs'"), 1)
  t.equal(found('a.ts', "import { join, resolve } from 'node:path'\nresolve(given)"), 1)
  t.equal(found('a.ts', "import { join, resolve } from 'node:path'\nresolve(folder, given)"), 0)
  t.equal(found('a.ts', 'const words = process.argv.slice(2)'), 1)
  t.equal(found('a.rs', 'pub fn tune(image: String, label: Buffer) {'), 1)
  t.equal(found('a.rs', 'pub fn tune(image: Utf16String, label: Buffer) {'), 0)
})
