/** The types of --json depend on the field, never on the value (docs/json.md). */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { HN4 } from '../cli/commands.ts'
import { PACKAGE_TOP } from '../src/base/package.ts'
import { jsonText } from '../src/console/json.ts'
import { VolumeBuilder } from './support/builder.ts'
import { runCommand } from './support/cli.ts'

/** The largest size of a file. */
const HUGE = 2n ** 59n

/** Raw records, whose fields have the types of the record. */
const RAW = ['anchor', 'attributes', 'state']

type Types = Map<string, Set<string>>

function typeOf(value: unknown): string {
  if (typeof value !== 'string') return typeof value
  return /^-?\d+$/.test(value) ? 'decimal' : 'text'
}

/** Adds the types of all fields of a document, by name. */
function collect(types: Types, value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const [name, below] of Object.entries(value)) {
    if (Array.isArray(value)) collect(types, below)
    else if (!RAW.includes(name)) {
      const type = typeOf(below)
      if (type === 'number' || type === 'decimal') types.set(name, (types.get(name) ?? new Set()).add(type))
      collect(types, below)
    }
  }
}

/** A volume with a file of ordinary and one of the largest size, both damaged at their end. */
function volumeWithSizes(t: Test): string {
  const builder = new VolumeBuilder(4096)
  builder.add(1, 'small', { content: new Uint8Array(9000).fill(1), xattrs: { 'user.a': 'b' } })
  builder.add(1, 'inline', { content: new Uint8Array(5) })
  const content = new Uint8Array(3 * 4096).fill(2)
  const huge = builder.add(1, 'huge', { content, holes: [0], height: 3 })
  builder.change(huge, { mass: HUGE })
  builder.commit()
  const volume = builder.open()
  for (const path of ['/small', '/huge']) builder.image.flip(volume.blocks(volume.lookup(path)).find(2)!.block, 7)
  const image = join(t.testdir({}), 'disk.img')
  builder.image.save(image)
  return image
}

t.test('a field is a number or a decimal string in every document, and the description says which', async t => {
  const image = volumeWithSizes(t)
  const [fresh, made] = ['new.img', 'made.img'].map(name => join(t.testdirName, name)) as [string, string]
  const types: Types = new Map()
  const commands = [
    ['mkfs', '-n', fresh, '64M'],
    ['info', image],
    ['log', image],
    ['ls', `${image}:/`],
    ['tree', image],
    ['scrub', image],
    ['fsck', '-n', image],
    ...['small', 'huge', 'inline'].flatMap(name =>
      ['stat', 'anchor', 'blocks', 'id'].map(command => [command, `${image}:/${name}`]),
    ),
    ['cat', `${image}:/inline`],
    ['mkfs', made, '64M'],
    ['trim', made],
  ]
  for (const words of commands) {
    const ran = await runCommand('hn4', HN4, [...words, '--json'])
    t.ok([0, 4].includes(ran.exit), `${words.join(' ')}: ${ran.stderr}`)
    collect(types, JSON.parse(ran.stdout))
  }
  const stat = JSON.parse((await runCommand('hn4', HN4, ['stat', '--json', `${image}:/huge`])).stdout)
  t.equal(stat.size_bytes, String(HUGE), 'the case happened')
  for (const [name, found] of types) t.equal(found.size, 1, `${name}: ${[...found].join(' and ')}`)

  const table = readFileSync(join(PACKAGE_TOP, 'docs/json.md'), 'utf8')
    .split('\n')
    .filter(line => line.startsWith('| `'))
    .flatMap(line => [...(line.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name = '']) => name))
  const decimals = [...types].filter(([, found]) => found.has('decimal')).map(([name]) => name)
  // A volume that was not cut off has no dropped transaction.
  t.strictSame([...decimals, 'dropped_transaction'].sort(), table.sort())
})

t.test('an integer that a double does not hold is refused where it is a number', async t => {
  t.equal(jsonText({ a: 1n, b: 2n ** 60n, c: -1n }, true), '{"schema":1,"a":"1","b":"1152921504606846976","c":"-1"}')
  t.throws(() => jsonText({ big: 2 ** 53 }), /big: 9007199254740992 has to be a string/)
  t.equal(jsonText({ n: 1.5, m: 2 ** 53 - 1 }, true), '{"schema":1,"n":1.5,"m":9007199254740991}')
})
