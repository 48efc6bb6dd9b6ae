// The pure part of scripts/cost.mjs: reading what the client prints, pairs, medians, the table.

const SECTOR_KIB = 0.5

/** Requests that a block device has completed, from the numbers of /sys/block/NAME/stat (Documentation/block/stat.rst). */
export function deviceWork(numbers) {
  const [reads, , sectorsRead, , writes, , sectorsWritten] = numbers
  const [discards = 0, , , , flushes = 0] = numbers.slice(11)
  const kib = (sectorsRead + sectorsWritten) * SECTOR_KIB
  return { reads, writes, discards, flushes, requests: reads + writes + discards + flushes, kib }
}

const difference = (a, b) => Object.fromEntries(Object.keys(a).map(key => [key, a[key] - b[key]]))

/** `SIDE WHEN WHAT NUMBER...` lines: what[side][when][what], lists of numbers added up line by line. */
function parseLines(text) {
  const found = [{}, {}]
  for (const line of text.split('\n').filter(line => line !== '')) {
    const match = /^([01]) (begin|worked|ended) (\w+)((?: +\d+)+)$/.exec(line)
    if (match === null) throw new Error(`not a line of the client: ${line}`)
    const [, side, when, what, rest] = match
    const numbers = rest.trim().split(/ +/).map(Number)
    found[side][when] ??= {}
    const before = found[side][when][what]
    found[side][when][what] = before === undefined ? numbers : numbers.map((n, i) => n + before[i])
  }
  return found
}

function number(side, when, what) {
  const numbers = side[when]?.[what]
  if (numbers === undefined) throw new Error(`the client said nothing of '${when} ${what}'`)
  return numbers
}

/**
 * What a run of the client (native/fuse/examples/cost) cost each side, per operation; from the moment when the
 * mount answers to the daemon's end. CPU and wall in microseconds.
 */
export function costsOf(text, ops) {
  return parseLines(text).map(side => {
    const [begin] = number(side, 'begin', 'cpu_ns')
    const [worked] = number(side, 'worked', 'cpu_ns')
    const [ended] = number(side, 'ended', 'cpu_us')
    const [client] = number(side, 'worked', 'client_ns')
    const [wall] = number(side, 'worked', 'wall_ns')
    const switches = when => number(side, when, 'switches').reduce((a, b) => a + b)
    const device = when => deviceWork(number(side, when, 'device'))
    const daemonUs = ended - begin / 1000
    const total = {
      daemonUs,
      cpuUs: daemonUs + client / 1000,
      ...difference(device('ended'), device('begin')),
      switches: switches('ended') - switches('begin'),
      unmountUs: ended - worked / 1000,
      unmountRequests: device('ended').requests - device('worked').requests,
      wallUs: wall / 1000,
    }
    return Object.fromEntries(Object.entries(total).map(([key, value]) => [key, value / ops]))
  })
}

/** What is shown, in this order; what is judged must not rise. */
export const MEASURES = [
  { key: 'daemonUs', title: 'daemon CPU, us', isJudged: true },
  { key: 'cpuUs', title: 'daemon + client CPU, us', isJudged: true },
  { key: 'requests', title: 'device requests', isJudged: true },
  { key: 'reads', title: '  reads' },
  { key: 'writes', title: '  writes' },
  { key: 'discards', title: '  discards' },
  { key: 'flushes', title: '  flushes' },
  { key: 'kib', title: 'read + written, KiB' },
  { key: 'switches', title: 'context switches' },
  { key: 'unmountUs', title: 'at unmount: CPU, us' },
  { key: 'unmountRequests', title: 'at unmount: requests' },
  { key: 'wallUs', title: 'wall, us' },
]

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}

/** after / before; nothing against nothing is no change. */
export const ratio = (before, after) => (before === 0 && after === 0 ? 1 : after / before)

/** Medians of both sides, and of the ratios of pairs, with their spread. `pairs`: lists of [before, after] costs. */
export function summarize(pairs, limit) {
  return MEASURES.map(({ key, title, isJudged = false }) => {
    const ratios = pairs.map(([before, after]) => ratio(before[key], after[key]))
    const middle = median(ratios)
    return {
      key,
      title,
      before: median(pairs.map(([before]) => before[key])),
      after: median(pairs.map(([, after]) => after[key])),
      ratio: middle,
      min: Math.min(...ratios),
      max: Math.max(...ratios),
      isJudged,
      isOver: isJudged && middle > limit,
    }
  })
}

/** Four significant digits, without an exponent. */
function figure(value) {
  if (value === 0) return '0'
  const digits = Math.max(0, 3 - Math.floor(Math.log10(Math.abs(value))))
  return value.toFixed(Math.min(digits, 5))
}

/** Lines of a workload's table. Rows of zeros are left out. */
export function table(rows) {
  const shown = rows.filter(({ before, after, isJudged }) => isJudged || before !== 0 || after !== 0)
  const cells = shown.map(row => [
    `${row.isJudged ? '*' : ' '} ${row.title}`,
    figure(row.before),
    figure(row.after),
    row.ratio.toFixed(3),
    `${row.min.toFixed(3)} .. ${row.max.toFixed(3)}${row.isOver ? '  OVER' : ''}`,
  ])
  const all = [['  per operation', 'before', 'after', 'ratio', 'of pairs'], ...cells]
  const widths = [0, 1, 2, 3].map(i => Math.max(...all.map(line => line[i].length)))
  return all.map(([title, before, after, middle, spread]) => {
    const numbers = [before, after, middle].map((cell, i) => cell.padStart(widths[i + 1]))
    return `  ${title.padEnd(widths[0])}  ${numbers.join('  ')}  ${spread}`
  })
}

/** Share of all CPU time that the host took away between two texts of /proc/stat. */
export function stolenShare(before, after) {
  const fields = text => /^cpu +(.*)$/m.exec(text)[1].split(' ').slice(0, 8).map(Number)
  const spent = fields(after).map((n, i) => n - fields(before)[i])
  const all = spent.reduce((a, b) => a + b)
  return all === 0 ? 0 : spent[7] / all
}

/** Numbers of a list such as `0-2,5` (cpuset(7)). */
export function parseCpuList(text) {
  return text.split(',').flatMap(part => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part.trim())
    if (match === null) throw new Error(`not a list of processors: '${text}'`)
    const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])]
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
}
