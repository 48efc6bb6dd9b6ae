import { join } from 'node:path'
import t from 'tap'
import { HN4 } from '../../cli/commands.ts'
import { jsonText } from '../../src/console/json.ts'
import { columns, keyValues } from '../../src/console/table.ts'
import { VolumeBuilder } from '../support/builder.ts'
import { runCommand } from '../support/cli.ts'

/** As many levels as overflow a stack of usual size where a function calls itself for each. */
const LEVELS = 4000

t.test('a tree of thousands of levels is listed, checked, and what is bad at its end named', async t => {
  const builder = new VolumeBuilder(32_768, { copies: 1, slots: 8 * LEVELS })
  let parent = 1
  for (let level = 0; level < LEVELS; level++) {
    parent = builder.add(parent, 'd', { type: 'directory' })
    if (level % 100 === 99) builder.commit(false)
  }
  builder.add(parent, 'file', { content: new Uint8Array(5000).fill(1) })
  builder.commit()
  builder.writeInPlace()
  const path = `${'/d'.repeat(LEVELS)}/file`
  const volume = builder.open()
  builder.image.flip(volume.blocks(volume.lookup(path)).find(1)!.block, 7)
  const image = join(t.testdir({}), 'deep.img')
  builder.image.save(image)

  const run = (...words: string[]) => runCommand('hn4', HN4, words)
  const tree = await run('tree', image)
  t.equal(tree.exit, 0, tree.stderr)
  t.match(tree.stdout.slice(-100), new RegExp(`\n\n${LEVELS} directories, 1 files\n$`))
  const json = await run('tree', '--json', image)
  t.equal(json.exit, 0, json.stderr)
  let [entry] = JSON.parse(json.stdout).entries
  for (let level = 1; level < LEVELS; level++) entry = entry.entries[0]
  t.match(entry, { name: 'd', type: 'directory', entries: [{ name: 'file', type: 'regular' }] })
  const scrub = await run('scrub', '--json', image)
  t.equal(scrub.exit, 4, scrub.stderr)
  t.strictSame(JSON.parse(scrub.stdout).damaged_files, [path])
  t.equal((await run('fsck', '-n', image)).exit, 0)
})

t.test('a table may have more rows than a call may have arguments', async t => {
  const rows = Array.from({ length: 200_000 }, (_, i) => [String(i), 'x'])
  t.equal(columns(['>n', 'x'], rows).split('\n').length, rows.length + 2)
  const pairs = rows.map(([name = '', value = '']) => [name, value] as const)
  t.equal(keyValues(pairs).split('\n').length, rows.length + 1)
})

t.test('a document is written as JSON.stringify writes it', async t => {
  const documents = [
    {},
    { list: [], none: {}, nothing: undefined, no: null, yes: true },
    { text: 'a "b" \n \u2028', list: [1, [2, [3, {}]], { deep: { deeper: ['x'] } }], n: -1.5 },
  ]
  for (const document of documents) {
    t.equal(jsonText(document), JSON.stringify({ schema: 1, ...document }, null, 2))
    t.equal(jsonText(document, true), JSON.stringify({ schema: 1, ...document }))
  }
  t.throws(() => jsonText({ list: [{ notSnake: 1 }] }), /snake_case: notSnake/)
})
