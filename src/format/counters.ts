/** The volume's counters as checkpoint blocks and log records carry them. */
import { constant } from './constants.ts'
import { dataBlocks, type Geometry } from './geometry.ts'

export interface CounterFields {
  readonly next_number: bigint
  readonly live_blocks: bigint
  readonly files: bigint
  readonly units: bigint
}

/** Why the counters cannot be those of a volume of this geometry; null if they can. */
export function countersProblem(c: CounterFields, g: Geometry): string | null {
  const slots = (g.pages.CORTEX + g.pages.STASH) * constant('SLOTS_PER_PAGE')
  const units = g.pages.EXTENSION * constant('UNITS_PER_PAGE')
  if (c.next_number < BigInt(constant('INO_FIRST')) || c.next_number >= 2n ** 53n) return `next_number ${c.next_number}`
  if (c.live_blocks > BigInt(dataBlocks(g))) return `live_blocks ${c.live_blocks}`
  if (c.files > BigInt(slots)) return `files ${c.files}`
  if (c.units >= BigInt(units)) return `units ${c.units}`
  return null
}
