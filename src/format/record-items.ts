/** The items of a log record: read one by one, then held to the rules for all together (docs/format.md section 7). */
import { Hn4Error, reasonOf } from '../base/error.ts'
import type { Geometry } from './geometry.ts'
import { ItemProblem } from './item-body.ts'
import { LOG_RECORD } from './layout.ts'
import { type LogItem, readItem } from './log-item.ts'

/**
 * The items of a record whose checksum holds. Bytes are views into `record`.
 * @throws Hn4Error LOG_ITEM
 */
export function readItems(record: Uint8Array, txn: bigint, length: number, count: number, g: Geometry): LogItem[] {
  const items: LogItem[] = []
  let at: number = LOG_RECORD.size
  while (items.length < count) {
    try {
      const [item, size] = readItem(record.subarray(at, length), g)
      items.push(item)
      at += size
    } catch (error) {
      if (!(error instanceof ItemProblem || error instanceof Hn4Error)) throw error
      throw new Hn4Error('LOG_ITEM', { txn, item: items.length, cause: reasonOf(error) })
    }
  }
  const cause = at !== length ? 'bytes behind the last item' : itemsProblem(items)
  if (cause !== null) throw new Hn4Error('LOG_ITEM', { txn, item: count, cause })
  return items
}

interface Run {
  /** Runs are compared inside a space only. */
  readonly space: string
  readonly first: number
  readonly count: number
}

/** What an item names, in which space. PAGE and BIRTH share the pages of the copy. */
function runsOf(item: LogItem): Run[] {
  switch (item.kind) {
    case 'SLOT':
    case 'SLOT_CLEAR':
      return [{ space: `slot ${item.region}`, first: item.page * 32 + item.slot, count: 1 }]
    case 'DESCRIPTORS':
      return [
        { space: 'block', first: item.data, count: item.count },
        { space: `file ${item.owner}:${item.flags & 15}`, first: item.index, count: item.count },
      ]
    case 'BLOCKS_FREE':
      return [{ space: 'block', first: item.first, count: item.count }]
    case 'UNIT':
      return [{ space: 'unit', first: item.unit, count: 1 }]
    case 'UNITS_FREE':
      return [{ space: 'unit', first: item.first, count: item.count }]
    case 'BIRTH':
      return [{ space: 'page', first: item.first, count: item.count }]
    case 'PAGE':
      return [{ space: 'page', first: item.page, count: 1 }]
  }
}

const rank = (item: LogItem): number => (item.kind === 'PAGE' ? 0 : item.kind === 'BIRTH' ? 1 : 2)

/** The first rule that the items of one record break together (order, nothing named twice); null if they keep them. */
function itemsProblem(items: readonly LogItem[]): string | null {
  const spaces = new Map<string, Run[]>()
  let before = 0
  for (const item of items) {
    if (rank(item) < before) return `a ${item.kind} item behind others`
    before = rank(item)
    for (const run of runsOf(item)) {
      const runs = spaces.get(run.space)
      if (runs) runs.push(run)
      else spaces.set(run.space, [run])
    }
  }
  for (const [space, runs] of spaces) {
    runs.sort((a, b) => a.first - b.first)
    const twice = runs.find((run, i) => i > 0 && runs[i - 1]!.first + runs[i - 1]!.count > run.first)
    if (twice) return `${space} ${twice.first} named twice`
  }
  return null
}
