/** Pass: the counters in the last record or checkpoint are what was counted. */
import type { Check, Pass, Step } from '../check.ts'

async function run(check: Check, step: Step): Promise<void> {
  step.add(3)
  // With a lost page or anchor nothing can be counted, and the loss is a finding already.
  if (!check.isCountable) return
  const { counters } = check.volume.core
  const pairs = [
    ['live blocks', counters.liveBlocks, BigInt(check.liveBlocks)],
    ['files', counters.files, BigInt(check.files.size)],
    ['extension units', counters.units, BigInt(check.units)],
  ] as const
  for (const [name, said, counted] of pairs) {
    if (said !== counted) check.add('COUNTER', `counter of ${name}: ${said}, counted ${counted}`)
  }
}

export const countersPass: Pass = { name: 'counters', unit: 'items', total: () => 3, run }
