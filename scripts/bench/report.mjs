// Medians, the table with its ratios, and lines of JSON.
import { median } from '../cost/figures.mjs'

/** Whether more is better. */
const rises = unit => unit !== 's'

/** results: [{ target, kind, row, unit, figure, costs }] -> per row and target the medians. */
export function medians(results) {
  const found = new Map()
  for (const result of results) {
    const key = `${result.row}\0${result.target}`
    if (!found.has(key)) found.set(key, [])
    found.get(key).push(result)
  }
  return [...found.values()].map(list => {
    const keys = Object.keys(list[0].costs)
    const { target, kind, row, unit } = list[0]
    const cost = Object.fromEntries(keys.map(key => [key, median(list.map(({ costs }) => costs[key]))]))
    return {
      target,
      kind,
      row,
      unit,
      figure: median(list.map(({ figure }) => figure)),
      passes: list.length,
      costs: cost,
    }
  })
}

/** How much better `a` is than `b`: 1 is equal, 2 twice as good. */
export const ratio = (unit, a, b) => (rises(unit) ? a / b : b / a)

const digits = value => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2))

/** Lines of a table: a row each, a column per target, and what hn4 is beside the best limit and ext4. */
export function table(found) {
  const targets = [...new Set(found.map(({ target }) => target))]
  const rows = [...new Set(found.map(({ row }) => row))]
  const at = (row, target) => found.find(one => one.row === row && one.target === target)
  const best = row => {
    const limits = found.filter(one => one.row === row && one.kind === 'limit')
    return limits.length === 0
      ? undefined
      : limits.reduce((a, b) => (ratio(a.unit, a.figure, b.figure) >= 1 ? a : b)).figure
  }
  const beside = (row, other) => {
    const mine = at(row, 'hn4-uring') ?? at(row, 'hn4-dev')
    return mine === undefined || other === undefined ? '' : ratio(mine.unit, mine.figure, other).toFixed(2)
  }
  const head = ['work', 'unit', ...targets, 'hn4 / limit', 'hn4 / ext4']
  const lines = rows.map(row => {
    const { unit } = found.find(one => one.row === row)
    const cells = targets.map(target => {
      const one = at(row, target)
      return one === undefined ? '' : digits(one.figure)
    })
    return [row, unit, ...cells, beside(row, best(row)), beside(row, at(row, 'ext4')?.figure)]
  })
  const widths = head.map((cell, i) => Math.max(cell.length, ...lines.map(line => line[i].length)))
  const show = line =>
    `| ${line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`
  return [
    show(head),
    `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`,
    ...lines.map(show),
  ]
}

const COSTS = [
  ['cpuUs', 'CPU of the daemon, us'],
  ['switches', 'its context switches'],
  ['writtenBytes', 'bytes written'],
  ['readBytes', 'bytes read'],
]

/** Lines that compare what an operation cost with an earlier run (`found` of it). */
export function against(now, before) {
  const lines = []
  for (const one of now.filter(({ kind }) => kind === 'hn4')) {
    const old = before.find(({ row, target }) => row === one.row && target === one.target)
    if (old === undefined) continue
    const cells = COSTS.map(([key, title]) => {
      const [a, b] = [old.costs[key], one.costs[key]]
      const share = a === b ? 1 : b / a
      return `${title} ${digits(a)} -> ${digits(b)} (${Number.isFinite(share) ? share.toFixed(2) : 'new'})`
    })
    lines.push(`${one.target}, ${one.row}: ${cells.join('; ')}`)
  }
  return lines
}
