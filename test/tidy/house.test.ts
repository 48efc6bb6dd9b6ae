/** The order of the house: rooms of volume/, circles of files, doors. Rules as in scripts/calls.mjs. */
import t from 'tap'
import {
  doorProblems,
  foldersWithDoors,
  Module,
  orderFaults,
  rustCircles,
  textsBelow,
  typeScriptCircles,
} from '../support/calls.ts'
import { none } from '../support/faults.ts'
import { readSource, sources } from '../support/sources.ts'

const all = sources()
const core = textsBelow(all, 'native/core/src')

/**
 * Rooms of native/core/src/volume, lowest first: folders, and the files beside them. A room uses lower
 * ones only, by imports, calls and fields alike.
 */
const VOLUME_ORDER = [
  'report',
  'options',
  'rescue',
  'blocks',
  'space',
  'transaction',
  'inode',
  'meta',
  'read',
  'writeback',
  'change',
  'commit',
  'trim',
  'recover',
  'close',
  'open',
  'misuse',
  'mod',
]

const volume = new Module(core, 'volume')

t.test('rooms of volume use lower rooms only, by imports, calls and fields', async t => {
  const faults = orderFaults(volume, VOLUME_ORDER)
  for (const { line } of faults) t.comment(line)
  none(
    t,
    faults.map(({ rooms }) => rooms),
  )
  for (const { from, line, name } of volume.ambiguous) t.comment(`${from}:${line}: ${name}, of which type?`)
})

t.test('docs/architecture.md shows the rooms in the same order', async t => {
  const [, table] = readSource('docs/architecture.md').split(/^## Inside `volume\/`$/m)
  if (table === undefined) return t.fail('no table of rooms')
  // A row may hold several rooms, in any order: `open.rs`, `recover.rs`, `close.rs`.
  const rows = [...(table.split(/^## /m)[0] ?? '').matchAll(/^\| (`[^|]*`) \|/gm)].map(([, cell = '']) =>
    [...cell.matchAll(/`(\w+)(?:\/|\.rs)`/g)].map(([, name = '']) => name).sort(),
  )
  let from = 0
  for (const rooms of rows) {
    t.same(rooms, VOLUME_ORDER.slice(from, from + rooms.length).sort())
    from += rooms.length
  }
  t.equal(from, VOLUME_ORDER.length, 'all rooms')
})

t.test('neither rooms nor files of volume use each other in a circle', async t => {
  for (const circle of volume.circles(file => volume.room(file)).both) t.fail(`rooms: ${circle.join(' ')}`)
  const { calls } = volume.circles(file => volume.file(file))
  none(
    t,
    calls.map(circle => circle.join(' ')),
  )
})

t.test('what others use of a folder of volume stands among its doors', async t => {
  // Other crates and the tests of this one see what is `pub`.
  const beyond = all.filter(({ path }) => path.endsWith('.rs') && !path.startsWith('native/core/src/'))
  const text = beyond.map(source => source.text).join('\n')
  const folders = foldersWithDoors(volume)
  t.ok(folders.length > 5, 'volume has folders')
  none(
    t,
    folders.flatMap(folder => doorProblems(volume, folder, text)),
  )
})

t.test('no files import each other in a circle', async t => {
  const found: string[] = []
  for (const folder of ['native/core/src', 'native/fuse/src', 'native/node/src']) {
    const texts = textsBelow(all, folder)
    t.ok(texts.has('lib.rs'), `${folder} is a crate`)
    found.push(...rustCircles(texts).map(circle => `${folder}: ${circle.join(' ')}`))
  }
  const typeScript = all.filter(({ path }) => /^(cli|src|mkfs|fsck-scrub)\/.*\.ts$/.test(path))
  const texts = new Map(typeScript.map(({ path, text }) => [path, text]))
  t.ok(texts.size > 50, 'TypeScript is there')
  found.push(...typeScriptCircles(texts).map(circle => `TypeScript: ${circle.join(' ')}`))
  none(t, found)
})
