// Bars as SVG: a row each, a bar per target, of the best one's length.
import { ratio } from './report.mjs'

const COLOURS = { hn4: '#0b6bcb', limit: '#8a8f98', kernel: '#3a9d5d', peer: '#c98a1b' }
const quoted = text => text.replace(/[&<>"]/g, c => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c])
const short = value =>
  value >= 1000 ? `${(value / 1000).toFixed(1)}k` : value >= 10 ? value.toFixed(0) : value.toFixed(2)

/** The text of an SVG. `found`: medians. */
export function chart(title, found) {
  const [left, width, bar, gap] = [150, 520, 13, 26]
  let y = 44
  const parts = []
  for (const row of new Set(found.map(one => one.row))) {
    const all = found.filter(one => one.row === row)
    const best = all.reduce((a, b) => (ratio(a.unit, a.figure, b.figure) >= 1 ? a : b))
    parts.push(`<text x="8" y="${y}" class="row">${quoted(`${row}, ${best.unit}`)}</text>`)
    y += 8
    for (const { target, kind, unit, figure } of all) {
      const length = Math.max(1, width * ratio(unit, figure, best.figure))
      parts.push(
        `<text x="${left - 6}" y="${y + bar - 3}" text-anchor="end">${quoted(target)}</text>`,
        `<rect x="${left}" y="${y}" width="${length.toFixed(1)}" height="${bar - 2}" fill="${COLOURS[kind]}"/>`,
        `<text x="${left + length + 5}" y="${y + bar - 3}">${short(figure)}</text>`,
      )
      y += bar
    }
    y += gap
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${left + width + 70}" height="${y}" font-family="sans-serif" font-size="10">`,
    '<style>.row{font-weight:bold;font-size:11px}.title{font-size:15px;font-weight:bold}</style>',
    '<rect width="100%" height="100%" fill="white"/>',
    `<text x="8" y="22" class="title">${quoted(title)}</text>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n')
}
