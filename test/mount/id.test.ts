import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import t from 'tap'
import { mountTest } from '../support/mount.ts'
import { eventually, hn4, Scratch } from '../support/scratch.ts'

const FIRST = '0f8fad5b-d9cb-469f-a165-70867728950e'
const SECOND = '0f8fad5b-d9cb-469f-a165-70867728950f'

interface Anchor {
  readonly place: object
  readonly anchor: Readonly<Record<string, unknown>>
}

const jsonOf = (ran: { stdout: string }): unknown => JSON.parse(ran.stdout)

mountTest(t, 'changing the public id of a file moves no byte of data and no anchor', async t => {
  const scratch = new Scratch(t)
  const target = `${scratch.image}:/file`
  scratch.mount()
  writeFileSync(scratch.path('file'), 'x'.repeat(50_000))
  const seed = hn4('id', scratch.path('file')).stdout.trim()
  scratch.umount()
  const before = [jsonOf(hn4('anchor', '--json', target)) as Anchor, jsonOf(hn4('blocks', '--json', target))] as const
  scratch.mount()
  t.strictSame(hn4('id', '--set', FIRST, scratch.path('file')), { exit: 0, stdout: `${FIRST}\n`, stderr: '' })
  t.equal(readFileSync(scratch.path('.hn4/id', FIRST), 'utf8'), 'x'.repeat(50_000))
  t.notOk(existsSync(scratch.path('.hn4/id', seed)), 'the old id leads nowhere')
  scratch.umount()
  const after = [jsonOf(hn4('anchor', '--json', target)) as Anchor, jsonOf(hn4('blocks', '--json', target))] as const
  t.strictSame(after[0].place, before[0].place)
  t.strictSame(after[1], before[1])
  t.notSame(after[0].anchor.public_id, before[0].anchor.public_id)
  for (const name of ['number', 'hint', 'random', 'gravity_center', 'orbit_vector', 'mass', 'mod_clock']) {
    t.equal(after[0].anchor[name], before[0].anchor[name], name)
  }
  const shown = hn4('id', '-v', target)
  t.equal(shown.stdout, `${FIRST}\nseed_id ${seed}\n`)
  t.equal(hn4('id', scratch.image, FIRST).stdout, '/file\n')
  t.equal(hn4('fsck', scratch.image).exit, 0)
})

mountTest(t, '/.hn4/id/ID follows its file through renames and new ids, and is not listed', async t => {
  const scratch = new Scratch(t)
  scratch.mount()
  writeFileSync(scratch.path('file'), 'content')
  const link = (id: string) => scratch.path('.hn4/id', id)
  t.notOk(existsSync(link(FIRST)))
  t.equal(hn4('id', '--set', FIRST, scratch.path('file')).exit, 0)
  t.equal(readlinkSync(link(FIRST)), '../../file')
  renameSync(scratch.path('file'), scratch.path('other'))
  t.equal(readlinkSync(link(FIRST)), '../../other')
  t.equal(hn4('id', scratch.dir, FIRST).stdout, `${scratch.path('other')}\n`)
  t.equal(hn4('id', '--set', SECOND, scratch.path('other')).exit, 0)
  t.notOk(existsSync(link(FIRST)))
  t.equal(readFileSync(link(SECOND), 'utf8'), 'content')
  writeFileSync(scratch.path('third'), '')
  const taken = hn4('id', '--set', SECOND, scratch.path('third'))
  t.match(taken.stderr, /^hn4 id: the id .* is another file's: [^\n]*\n$/)
  t.equal(hn4('id', scratch.dir, FIRST).exit, 8)
  t.equal(hn4('id', '--set', 'nonsense', scratch.path('third')).exit, 16)
  t.equal(statSync(scratch.path('.hn4')).isDirectory(), true)
  scratch.umount()
})

mountTest(t, 'a file that was looked up by its id gives its space back when it is deleted', async t => {
  const scratch = new Scratch(t)
  scratch.mount()
  const empty = statfsSync(scratch.dir).ffree
  for (let i = 0; i < 300; i++) {
    const name = scratch.path(`file-${i}`)
    const fd = openSync(name, 'w')
    writeSync(fd, 'x'.repeat(10_000))
    closeSync(fd)
    if (i < 3) readFileSync(scratch.path('.hn4/id', hn4('id', name).stdout.trim()))
    rmSync(name)
  }
  t.ok(await eventually(() => statfsSync(scratch.dir).ffree === empty))
  scratch.umount()
})
