/** fsck finds every illegal state of a slot, on a volume that is full of them, and calls nothing else damaged. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { fsck } from '../../fsck-scrub/command.ts'
import { fromHex } from '../../src/base/bytes.ts'
import { PACKAGE_TOP } from '../../src/base/package.ts'
import { pageNumber, slotIndex } from '../../src/base/units.ts'
import { constant } from '../../src/format/constants.ts'
import { encodeSlot } from '../../src/format/slot.ts'
import { VolumeBuilder } from '../support/builder.ts'
import { runCommand } from '../support/cli.ts'
import { type Axes, cellFields, cellsOf, groupKey } from '../support/slot-cells.ts'

const SLOTS = constant('SLOTS_PER_PAGE')
const FIRST_NUMBER = 1000
/** Before it stand the slots of the system files; the others are not used by them. */
const FIRST_PAGE = 64

t.test('an illegal slot of every type and set of flags is a finding of its own', async t => {
  const file = JSON.parse(readFileSync(join(PACKAGE_TOP, 'test/vectors/slot-states.json'), 'utf8')) as {
    axes: Axes
    legal: Record<string, string>
  }
  const builder = new VolumeBuilder(16384)
  builder.add(1, 'sound', { content: new Uint8Array(5000) })
  let count = 0
  for (const type of file.axes.types) {
    for (const dataClass of file.axes.classes) {
      const legal = fromHex(file.legal[groupKey(type, dataClass)] ?? '')!
      const isLegal = (_: unknown, i: number): boolean => (((legal[i >> 3] ?? 0) >> (i & 7)) & 1 ? true : false)
      const illegal = [...cellsOf(file.axes, type, BigInt(dataClass))].filter((cell, i) => !isLegal(cell, i))
      const { anchor, attributes } = cellFields(illegal[(count * 7919) % illegal.length]!, BigInt(FIRST_NUMBER + count))
      builder.slot(
        { page: pageNumber(FIRST_PAGE + Math.floor(count / SLOTS)), slot: slotIndex(count % SLOTS) },
        encodeSlot(anchor, attributes),
      )
      count++
    }
  }
  builder.commit()
  const image = join(t.testdir({}), 'disk.img')
  builder.image.save(image)
  const ran = await runCommand('fsck.hn4', fsck, ['--json', image])
  t.equal(ran.exit, 4, ran.stderr)
  const { findings } = JSON.parse(ran.stdout) as { findings: { code: string; severity: string; number?: number }[] }
  const found = findings.filter(f => f.code === 'anchor' && f.severity === 'error').map(f => Number(f.number))
  t.equal(count, 7 * 512)
  t.strictSame(
    found.sort((a, b) => a - b),
    Array.from({ length: count }, (_, i) => FIRST_NUMBER + i),
  )
  t.equal(findings.length, count, 'and nothing else')
})
