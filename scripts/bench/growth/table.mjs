// Curves as a table, and how far each falls. Pure.
import { digits, markdown, ratio } from '../report.mjs'

/** points: [{ series, target, curve, x, figure, unit }] -> lines: first and last point, and the last beside the first. */
export function growthTable(points) {
  const keys = [...new Set(points.map(({ series, curve, target }) => JSON.stringify([series, curve, target])))]
  const lines = keys.map(key => {
    const [series, curve, target] = JSON.parse(key)
    const own = points
      .filter(one => one.series === series && one.curve === curve && one.target === target)
      .sort((a, b) => a.x - b.x)
    const [first, last] = [own[0], own.at(-1)]
    const at = one => `${digits(one.figure)} at ${one.x}`
    return [
      series,
      curve,
      target,
      first.unit,
      at(first),
      at(last),
      ratio(first.unit, last.figure, first.figure).toFixed(2),
    ]
  })
  return markdown(['series', 'curve', 'target', 'unit', 'first', 'last', 'last / first'], lines, 4)
}
