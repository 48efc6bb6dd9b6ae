// Medians of passes, ratios, and the shape of tables. Pure.
import { median } from '../cost/figures.mjs'

/** Units of which less is better: time, memory. */
const FALLING = new Set(['s', 'ms', 'MiB'])

/**
 * results: [{ target, kind, transport, group, row, unit, figure, costs }] -> per row and target the medians. A cost
 * that only some passes have is left out.
 */
export function medians(results) {
  const found = new Map()
  for (const result of results) {
    const key = `${result.row}\0${result.target}`
    if (!found.has(key)) found.set(key, [])
    found.get(key).push(result)
  }
  return [...found.values()].map(list => {
    const keys = Object.keys(list[0].costs).filter(key => list.every(({ costs }) => costs[key] !== undefined))
    const { figure: _, costs: __, pass: ___, ...same } = list[0]
    return {
      ...same,
      figure: median(list.map(({ figure }) => figure)),
      passes: list.length,
      costs: Object.fromEntries(keys.map(key => [key, median(list.map(({ costs }) => costs[key]))])),
    }
  })
}

/** How much better `a` is than `b`: 1 is equal, 2 twice as good. */
export const ratio = (unit, a, b) => (FALLING.has(unit) ? b / a : a / b)

/** The better of some measured rows, or undefined. */
export const best = list =>
  list.reduce((a, b) => (a !== undefined && ratio(a.unit, a.figure, b.figure) >= 1 ? a : b), undefined)

/** Medians by row and target. */
export class Found {
  constructor(list) {
    this.list = list
    this.rows = [...new Set(list.map(({ row }) => row))]
    this.targets = [...new Set(list.map(({ target }) => target))]
  }
  at(row, target) {
    return this.list.find(one => one.row === row && one.target === target)
  }
  of(row) {
    return this.list.filter(one => one.row === row)
  }
  /** The limit of a row on a transport (on any, without one): the fastest daemon without work. */
  limit(row, transport) {
    return best(this.of(row).filter(one => one.kind === 'limit' && one.transport === (transport ?? one.transport)))
  }
  /** hn4 in its default mode: over io_uring, where that was measured. */
  hn4(row) {
    return this.at(row, 'hn4-uring') ?? this.at(row, 'hn4-dev')
  }
}

/** How much better measured `a` is than `b`, as a cell; empty where one was not measured. */
export const beside = (a, b) => (a === undefined || b === undefined ? '' : ratio(a.unit, a.figure, b.figure).toFixed(2))

/** A figure in three digits or all of its whole ones. */
export const digits = value => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2))

/** Lines of a table of those judged that fall short, behind one that counts them. */
export function shortfalls(all, head, texts, lineOf) {
  const short = all.filter(({ isMet }) => !isMet)
  const lines = [`${all.length - short.length} of ${all.length} goals are met.`]
  return short.length === 0 ? lines : [...lines, '', ...markdown(head, short.map(lineOf), texts)]
}

/** Lines of a Markdown table; the first `texts` columns are text, the others numbers. */
export function markdown(head, lines, texts = 1) {
  const widths = head.map((cell, i) => Math.max(3, cell.length, ...lines.map(line => line[i].length)))
  const show = line =>
    `| ${line.map((cell, i) => (i < texts ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`
  const rule = widths.map((width, i) => (i < texts ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  return [show(head), `| ${rule.join(' | ')} |`, ...lines.map(show)]
}
