/** Every cell of the table of legal forms, and single departures from it, as test/vectors/slot-states.json has them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { fromHex } from '../../src/base/bytes.ts'
import { PACKAGE_TOP } from '../../src/base/package.ts'
import { Slot } from '../../src/format/slot.ts'
import { slotStateProblem } from '../../src/format/slot-state.ts'
import { type Axes, groupKey, LIMITS, legalCells } from '../support/slot-cells.ts'

interface Vectors {
  readonly axes: Axes
  readonly legal: Readonly<Record<string, string>>
  readonly singles: readonly { title: string; verdict: string; bytes: string }[]
}
const file: Vectors = JSON.parse(readFileSync(join(PACKAGE_TOP, 'test/vectors/slot-states.json'), 'utf8'))

/** Of the types and flags of which no cell is legal, every so many are looked at here; Rust looks at all. */
const STEP = 11

t.test('exactly the cells of the vectors are legal', async t => {
  const { axes, legal } = file
  let groups = 0
  for (const type of axes.types) {
    for (const dataClass of axes.classes) {
      groups++
      const expected = legal[groupKey(type, dataClass)] ?? ''
      if (legalCells(axes, type, BigInt(dataClass), expected === '' ? STEP : 1) !== expected)
        t.fail(`type ${type}, flags ${dataClass}`)
    }
  }
  t.equal(groups, 7 * 512)
})

t.test('single departures are damage, or need a later version', async t => {
  for (const { title, verdict, bytes } of file.singles) {
    const problem = slotStateProblem(new Slot(fromHex(bytes)!), LIMITS)
    const found = problem === null ? 'legal' : problem.isLater ? 'unsupported' : 'corrupt'
    t.equal(found, verdict, `${title}: ${problem?.cause}`)
  }
})
