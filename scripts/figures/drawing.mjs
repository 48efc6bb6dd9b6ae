/** A drawing on a grid of character cells. The same calls give an SVG and a text. */

/** Pixels of a cell. Proportional letters of 13 px are narrower than that on average, so texts that fit here fit there. */
const CELL = { width: 8, height: 17 }
const MARGIN = 12

/** Colours on the figure's own light ground: they read the same on a light and on a dark page. */
const GROUND = '#fcfcf9'
const INK = '#1d2430'
const KINDS = {
  plain: { fill: '#eef0f3', stroke: '#5d6673' },
  data: { fill: '#d9e8fb', stroke: '#2a66aa' },
  meta: { fill: '#daf0df', stroke: '#2e7b48' },
  log: { fill: '#fdeecb', stroke: '#966200' },
  bad: { fill: '#fbdedb', stroke: '#a5332f' },
}

const escaped = text => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
const middleX = x => MARGIN + (x + 0.5) * CELL.width
const middleY = y => MARGIN + (y + 0.5) * CELL.height
/** Baseline of letters that stand in the middle of a row. */
const baseline = y => middleY(y) + 4.5

/** The corners with both ends drawn out to the borders that stand one cell further, and a little short of them. */
function touching(corners) {
  const out = ([x, y], [fromX, fromY]) => [x + 0.8 * Math.sign(x - fromX), y + 0.8 * Math.sign(y - fromY)]
  return [out(corners[0], corners[1]), ...corners.slice(1, -1), out(corners.at(-1), corners.at(-2))]
}

export class Drawing {
  /** `title` says in one sentence what the figure shows; sizes in cells. */
  constructor(title, width, height) {
    this.title = title
    this.width = width
    this.height = height
    this.grid = Array.from({ length: height }, () => Array.from({ length: width }, () => ' '))
    this.shapes = []
  }

  #put(x, y, letter) {
    if (this.grid[y]?.[x] === undefined) throw new Error(`"${this.title}": ${x}, ${y} is outside`)
    this.grid[y][x] = letter
  }

  #write(x, y, text) {
    for (const [i, letter] of [...text].entries()) {
      if (this.grid[y]?.[x + i] !== ' ')
        throw new Error(`"${this.title}": "${text}" covers something at ${x + i}, ${y}`)
      this.#put(x + i, y, letter)
    }
  }

  /** A frame with centred lines; neighbours share the border. `x`, `y`: its upper left corner. */
  box(x, y, width, height, kind, ...lines) {
    const [right, bottom] = [x + width - 1, y + height - 1]
    for (let i = x; i <= right; i++) for (const at of [y, bottom]) this.#put(i, at, '-')
    for (let i = y; i <= bottom; i++) for (const at of [x, right]) this.#put(at, i, i === y || i === bottom ? '+' : '|')
    const { fill, stroke } = KINDS[kind]
    const size = `width="${(width - 1) * CELL.width}" height="${(height - 1) * CELL.height}"`
    const place = `x="${middleX(x)}" y="${middleY(y)}" ${size} rx="3"`
    this.shapes.push(`<rect ${place} fill="${fill}" stroke="${stroke}"/>`)
    const first = y + Math.floor((height - lines.length) / 2)
    for (const [i, line] of lines.entries()) {
      const space = width - 2 - line.length
      if (space < 0) throw new Error(`"${this.title}": "${line}" is wider than its box`)
      this.#write(x + 1 + Math.floor(space / 2), first + i, line)
      // Half a row up where the lines cannot stand in the middle of whole rows.
      const lift = (height - lines.length) % 2 === 0 ? 0 : 0.5
      const at = `x="${middleX((x + right) / 2)}" y="${baseline(first + i + lift)}"`
      this.shapes.push(`<text ${at} text-anchor="middle">${escaped(line)}</text>`)
    }
  }

  /** A line of text that begins at a cell. */
  text(x, y, text) {
    this.#write(x, y, text)
    this.shapes.push(`<text x="${MARGIN + x * CELL.width}" y="${baseline(y)}">${escaped(text)}</text>`)
  }

  /** A line of text whose middle is a cell. */
  centred(x, y, text) {
    this.#write(x - Math.floor(text.length / 2), y, text)
    this.shapes.push(`<text x="${middleX(x)}" y="${baseline(y)}" text-anchor="middle">${escaped(text)}</text>`)
  }

  /** Straight pieces through the corners given, with a head at the last. */
  arrow(...corners) {
    for (const [i, [x, y]] of corners.entries()) {
      const [toX, toY] = corners[i + 1] ?? [x, y]
      const [stepX, stepY] = [Math.sign(toX - x), Math.sign(toY - y)]
      if (i > 0 && i < corners.length - 1) this.#put(x, y, '+')
      for (let [atX, atY] = [x, y]; atX !== toX || atY !== toY; atX += stepX, atY += stepY) {
        if (this.grid[atY]?.[atX] !== '+') this.#put(atX, atY, stepX === 0 ? '|' : '-')
      }
    }
    const [[fromX, fromY], [x, y]] = corners.slice(-2)
    this.#put(x, y, x > fromX ? '>' : x < fromX ? '<' : y > fromY ? 'v' : '^')
    const points = touching(corners)
      .map(([x, y]) => `${middleX(x)},${middleY(y)}`)
      .join(' ')
    this.shapes.push(`<polyline points="${points}" fill="none" stroke="${INK}" marker-end="url(#head)"/>`)
  }

  ascii() {
    return this.grid.map(row => row.join('').trimEnd()).join('\n')
  }

  svg() {
    const width = this.width * CELL.width + 2 * MARGIN
    const height = this.height * CELL.height + 2 * MARGIN
    return [
      '<!-- Drawn by scripts/figures.mjs from scripts/figures/figures.mjs. Do not edit. -->',
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`,
      '  role="img" font-family="Helvetica, Arial, sans-serif" font-size="13">',
      `<title>${escaped(this.title)}</title>`,
      '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">',
      `  <path d="M0,0 L8,4 L0,8 z" fill="${INK}"/></marker></defs>`,
      `<rect width="${width}" height="${height}" rx="6" fill="${GROUND}"/>`,
      `<g fill="${INK}">`,
      ...this.shapes,
      '</g>',
      '</svg>',
      '',
    ].join('\n')
  }
}
