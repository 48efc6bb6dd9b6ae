/** The stack is small and trees are deep: what follows data does it with a list, and takes no list as arguments. */
import t from 'tap'
import { recursive, spreadCalls } from '../support/recursion.ts'
import { sources } from '../support/sources.ts'

const code = sources().filter(({ path }) => path.endsWith('.ts') && !path.startsWith('test/'))

/** Depth bounded by something else than data of a volume, each with what bounds it. */
const BOUNDED: Readonly<Record<string, string>> = {
  'cli/others-can-write.ts below': 'folders of a package: paths have at most 4,096 bytes',
  'cli/others-can-write.ts way': 'symbolic links, each looked at once',
  'src/console/parse.ts descend': 'a command has subcommands, these have none',
  'src/console/parse.ts helpFor': 'a command has subcommands, these have none',
  'src/console/parse.ts parseCommandLine': 'a command has subcommands, these have none',
  'src/console/run.ts deepest': 'a command has subcommands, these have none',
  'src/demo/compare.ts compare': 'trees that the demo has chosen',
  'src/demo/compare.ts compareFolder': 'trees that the demo has chosen',
  'src/demo/import.ts importTree': 'trees that the demo has chosen',
  'src/demo/tree.ts measure': 'packages of node_modules',
  'src/reader/log.ts #readStraight': 'for several blocks, once for each',
  'src/reader/pages.ts #base': 'every region asks for INIT, and INIT for none',
  'src/reader/pages.ts #build': 'every region asks for INIT, and INIT for none',
  'src/reader/pages.ts isInitialised': 'every region asks for INIT, and INIT for none',
  'src/reader/pages.ts load': 'every region asks for INIT, and INIT for none',
  'src/reader/presence.ts #inNode': 'levels of presence: at most three, checked when the slot is read',
}

/** Lists that are short whatever a volume holds. */
const SHORT: Readonly<Record<string, string>> = {
  'cli/doctor.ts max': 'findings about a machine',
  'src/console/help.ts max': 'options of a command',
  'src/format/plan.ts clamp': 'a pair',
  'src/mount/fuse-native.ts join': 'parts of a name written here',
  'src/reader/unchanged.ts #differs': 'a pair',
  'src/reader/volume.ts unshift': 'names in the target of one symbolic link',
}

t.test('no function calls itself, but where its depth is bounded', async t => {
  const found = code.flatMap(({ path, text }) => recursive(path, text).map(name => `${path} ${name}`))
  t.strictSame(found.sort(), Object.keys(BOUNDED).sort())
})

t.test('no call takes a list of data as its arguments: there can be more than a call may have', async t => {
  const found = code.flatMap(({ path, text }) => spreadCalls(path, text).map(name => `${path} ${name}`))
  t.strictSame([...new Set(found)].sort(), Object.keys(SHORT).sort())
})

t.test('the rules find what they are about', async t => {
  const text = `class A { draw() { this.#row() } #row() { return [1].map(() => this.draw()) } fine() { other.fine() } }
    const walk = (n: Node) => { for (const child of n.children) walk(child) }
    function alone() { alone2() } function alone2() {}
    const most = Math.max(...all); list.push(...found); call(a, b)`
  t.strictSame(recursive('a.ts', text), ['#row', 'draw', 'walk'])
  t.strictSame(spreadCalls('a.ts', text), ['max', 'push'])
})
