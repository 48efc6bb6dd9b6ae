// Lines as SVG: a small chart for each curve of a series, a line per target, from zero up.
const COLOURS = ['#0b6bcb', '#7a3fb5', '#3a9d5d', '#c98a1b', '#c0392b', '#8a8f98']
const [WIDTH, HEIGHT, LEFT, TOP, GAP] = [420, 190, 64, 56, 74]

const quoted = text => text.replace(/[&<>"]/g, c => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c])
const short = value =>
  value >= 1e6
    ? `${+(value / 1e6).toFixed(1)}M`
    : value >= 1000
      ? `${+(value / 1000).toFixed(1)}k`
      : `${+value.toPrecision(3)}`

/** The next of 1, 2, 5, 10, ... that is not below. */
export function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 5, 10].map(n => n * power).find(n => n >= value * (1 - 1e-9))
}

/** One chart of points with the same curve and unit. */
function curveChart(points, targets, { xTitle, isLog = false }, top) {
  const along = x => (isLog ? Math.log10(x) : x)
  const xs = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b)
  const [least, most] = [along(xs[0]), along(xs.at(-1))]
  const highest = roundUp(Math.max(...points.map(({ figure }) => figure)))
  const px = x => LEFT + (most === least ? WIDTH / 2 : ((along(x) - least) / (most - least)) * WIDTH)
  const py = y => top + HEIGHT - (y / highest) * HEIGHT
  const grid = [0, 0.25, 0.5, 0.75, 1].map(share => {
    const y = py(share * highest)
    return `<path d="M${LEFT} ${y}h${WIDTH}" stroke="#ddd"/><text x="${LEFT - 6}" y="${y + 3}" text-anchor="end">${short(share * highest)}</text>`
  })
  const marks = xs.map(x => `<text x="${px(x)}" y="${top + HEIGHT + 14}" text-anchor="middle">${short(x)}</text>`)
  const lines = targets.map((target, i) => {
    const colour = COLOURS[i % COLOURS.length]
    const own = points.filter(one => one.target === target).sort((a, b) => a.x - b.x)
    const at = own.map(({ x, figure }) => `${px(x).toFixed(1)},${py(figure).toFixed(1)}`)
    const dots = at.map(place => `<circle cx="${place.split(',')[0]}" cy="${place.split(',')[1]}" r="2.5"/>`)
    return `<g fill="${colour}"><polyline points="${at.join(' ')}" fill="none" stroke="${colour}" stroke-width="1.6"/>${dots.join('')}</g>`
  })
  const { curve, unit } = points[0]
  return [
    `<text x="8" y="${top - 12}" class="row">${quoted(`${curve}, ${unit}`)}</text>`,
    ...grid,
    ...marks,
    `<text x="${LEFT + WIDTH / 2}" y="${top + HEIGHT + 28}" text-anchor="middle">${quoted(xTitle)}</text>`,
    ...lines,
  ]
}

/** The text of an SVG. points: [{ target, curve, x, figure, unit }] of one series. */
export function lineChart(series, points) {
  const targets = [...new Set(points.map(({ target }) => target))]
  const curves = [...new Set(points.map(({ curve }) => curve))]
  const body = curves.flatMap((curve, i) =>
    curveChart(
      points.filter(one => one.curve === curve),
      targets,
      series,
      TOP + 30 + i * (HEIGHT + GAP),
    ),
  )
  const legend = targets.map((target, i) => {
    const x = 8 + i * 92
    return `<rect x="${x}" y="34" width="10" height="10" fill="${COLOURS[i % COLOURS.length]}"/><text x="${x + 14}" y="43">${quoted(target)}</text>`
  })
  const height = TOP + 30 + curves.length * (HEIGHT + GAP)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${LEFT + WIDTH + 30}" height="${height}" font-family="sans-serif" font-size="10">`,
    '<style>.row{font-weight:bold;font-size:11px}.title{font-size:15px;font-weight:bold}</style>',
    '<rect width="100%" height="100%" fill="white"/>',
    `<text x="8" y="22" class="title">${quoted(series.title)}</text>`,
    ...legend,
    ...body,
    '</svg>',
    '',
  ].join('\n')
}
