// What an operation costs, from a run with --costs: the table, and the comparison with an earlier one. Pure.
import { digits, markdown } from './report.mjs'

/** The figures that a later change is held to, per operation (docs/benchmarks.md), and what counts as none. */
export const COSTS = [
  ['cpuUs', 'CPU, us', 0.5],
  ['requests', 'device requests', 0.02],
  ['writtenBytes', 'bytes written', 4],
  ['switches', 'context switches', 0.05],
]
const cell = value => (value === undefined ? '' : value < 1 ? value.toFixed(3) : digits(value))

const ours = list => list.filter(one => one.kind === 'hn4')

/** hn4's rows with their costs. */
export function costsTable(list) {
  const lines = ours(list).map(({ target, row, unit, costs }) => [
    row,
    target,
    unit === 's' ? 'run' : unit.startsWith('MiB') ? 'MiB' : 'operation',
    ...COSTS.map(([key]) => cell(costs[key])),
  ])
  return markdown(['work', 'target', 'per', ...COSTS.map(([, title]) => title)], lines, 3)
}

/** now / before; nothing against nothing is no change. */
function share(before, now, none) {
  if (before === undefined || now === undefined) return ''
  if (before < none && now < none) return '1.00'
  return before === 0 ? 'new' : (now / before).toFixed(2)
}

/** Lines of a table of ratios now / before, of rows that both runs have (lists of medians); below 1 is less. */
export function against(now, before) {
  const pairs = ours(now)
    .map(one => [one, ours(before).find(({ row, target }) => row === one.row && target === one.target)])
    .filter(([, old]) => old !== undefined)
  const lines = pairs.map(([one, old]) => [
    one.row,
    one.target,
    ...COSTS.flatMap(([key, , none]) => [cell(one.costs[key]), share(old.costs[key], one.costs[key], none)]),
  ])
  return markdown(['work', 'target', ...COSTS.flatMap(([, title]) => [title, 'ratio'])], lines, 2)
}
