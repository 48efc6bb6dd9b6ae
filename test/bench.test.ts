/** The pure parts of the benchmark's scripts: medians, ratios, tables, goals. */
import t from 'tap'
// @ts-expect-error a script, plain JavaScript
import * as costsScript from '../../scripts/bench/costs-table.mjs'
// @ts-expect-error a script, plain JavaScript
import * as goalsScript from '../../scripts/bench/goals.mjs'
// @ts-expect-error a script, plain JavaScript
import * as growthGoalsScript from '../../scripts/bench/growth/goals.mjs'
// @ts-expect-error a script, plain JavaScript
import * as linesScript from '../../scripts/bench/growth/lines.mjs'
// @ts-expect-error a script, plain JavaScript
import * as growthScript from '../../scripts/bench/growth/table.mjs'
// @ts-expect-error a script, plain JavaScript
import * as recordScript from '../../scripts/bench/record.mjs'
// @ts-expect-error a script, plain JavaScript
import * as reportScript from '../../scripts/bench/report.mjs'
// @ts-expect-error a script, plain JavaScript
import * as tablesScript from '../../scripts/bench/tables.mjs'
// @ts-expect-error a script, plain JavaScript
import * as workloadsScript from '../../scripts/bench/workloads/all.mjs'

type Costs = Readonly<Record<string, number>>
interface Measured {
  readonly target: string
  readonly kind: string
  readonly transport?: string | undefined
  readonly group: string
  readonly row: string
  readonly unit: string
  readonly figure: number
  readonly costs: Costs
}
interface Judged {
  readonly row: string
  readonly target: string
  readonly against: string
  readonly ratio: number
  readonly isMet: boolean
}
interface Row {
  readonly name: string
  readonly isHidden?: boolean
}
const { against, costsTable } = costsScript as unknown as {
  against(now: readonly Measured[], before: readonly Measured[]): string[]
  costsTable(list: readonly Measured[]): string[]
}
const { goalsOf, judge } = goalsScript as unknown as {
  goalsOf(row: string): readonly { against: string; wanted: number }[]
  judge(list: readonly Measured[]): Judged[]
}
const { growthTable } = growthScript as unknown as { growthTable(points: readonly object[]): string[] }
const { judgeGrowth } = growthGoalsScript as unknown as {
  judgeGrowth(points: readonly object[]): { target: string; x: number; isMet: boolean }[]
}
const { lineChart, roundUp } = linesScript as unknown as {
  lineChart(series: object, points: readonly object[]): string
  roundUp(value: number): number
}
const { putBetween } = recordScript as unknown as {
  putBetween(text: string, name: string, lines: readonly string[]): string
}
const { medians, ratio } = reportScript as unknown as {
  medians(results: readonly Measured[]): (Measured & { passes: number })[]
  ratio(unit: string, a: number, b: number): number
}
const { peerTable, sessionTable, speedTable } = tablesScript as unknown as Record<
  'peerTable' | 'sessionTable' | 'speedTable',
  (list: readonly Measured[]) => string[]
>
const { fillGroups, mainGroups } = workloadsScript as unknown as {
  fillGroups(isFull: boolean): { rows: readonly Row[] }[]
  mainGroups(size: string): { rows: readonly Row[] }[]
}

const KINDS: Readonly<Record<string, string>> = { hn4: 'hn4', limit: 'limit', memvfs: 'limit', ext4: 'kernel' }
function measured(target: string, row: string, figure: number, other: Partial<Measured> = {}): Measured {
  const [name = '', transport] = target.split('-')
  const kind = KINDS[name] ?? 'peer'
  const over = kind === 'hn4' || kind === 'limit' ? { transport } : {}
  return { target, kind, group: 'names x1', row, unit: '/s', figure, costs: {}, ...over, ...other }
}
const cells = (line: string | undefined) =>
  (line ?? '')
    .split('|')
    .slice(1, -1)
    .map(cell => cell.trim())
/** Cells of a table by the names of its columns. */
const lineOf = (lines: readonly string[], row: string) => {
  const found = cells(lines.find(line => cells(line)[0] === row))
  return Object.fromEntries(cells(lines[0]).map((name, i) => [name, found[i]]))
}

t.test('a median is taken of each row and target, of figures and of costs', async t => {
  const found = medians([
    ...[3, 1, 2].map(n => measured('hn4-dev', 'create x1', n, { costs: { cpuUs: n * 10, switches: 4 } })),
    measured('ext4', 'create x1', 7),
  ])
  t.strictSame(
    found.map(({ target, figure, passes, costs }) => ({ target, figure, passes, costs })),
    [
      { target: 'hn4-dev', figure: 2, passes: 3, costs: { cpuUs: 20, switches: 4 } },
      { target: 'ext4', figure: 7, passes: 1, costs: {} },
    ],
  )
})

t.test('a ratio above 1 is better, whatever the unit', async t => {
  t.equal(ratio('/s', 20, 10), 2)
  t.equal(ratio('MiB/s', 20, 10), 2)
  for (const unit of ['s', 'ms', 'MiB']) t.equal(ratio(unit, 20, 10), 0.5, unit)
})

t.test('the limit of a transport is the faster of its two programs', async t => {
  const list = [
    measured('hn4-uring', 'create x1', 60),
    measured('hn4-dev', 'create x1', 45),
    measured('limit-uring', 'create x1', 100),
    measured('memvfs-uring', 'create x1', 120),
    measured('limit-dev', 'create x1', 90),
    measured('memvfs-dev', 'create x1', 50),
    measured('ext4', 'create x1', 200),
  ]
  const line = lineOf(speedTable(list), 'create x1')
  t.match(line, { 'limit uring': '120', 'limit dev': '90.0', 'uring / limit': '0.50', 'dev / limit': '0.50' })
  t.equal(line['hn4 / ext4'], '0.30')
  t.strictSame(cells(sessionTable(list)[2]), ['create x1', '/s', '100', '120', '1.20', '90.0', '50.0', '0.56 *'])
})

t.test('for seconds the limit is the lower figure', async t => {
  const seconds = { unit: 's' }
  const list = [
    measured('hn4-uring', 'untar', 4, seconds),
    measured('limit-uring', 'untar', 3, seconds),
    measured('memvfs-uring', 'untar', 2, seconds),
  ]
  t.match(lineOf(speedTable(list), 'untar'), { 'limit uring': '2.00', 'uring / limit': '0.50' })
})

t.test('peers have a table of their own, with how far hn4 is ahead', async t => {
  const list = [measured('hn4-dev', 'create x1', 30), measured('fuse2fs', 'create x1', 20)]
  t.equal(lineOf(peerTable(list), 'create x1').fuse2fs, '20.0 (1.50)')
  t.strictSame(peerTable([measured('hn4-dev', 'create x1', 30)]), [])
})

t.test('a goal is judged on the same transport, and is met at 0.8 of the limit', async t => {
  const list = [
    measured('hn4-uring', 'create x1', 79),
    measured('hn4-dev', 'create x1', 40),
    measured('limit-uring', 'create x1', 100),
    measured('limit-dev', 'create x1', 50),
    measured('fuse2fs', 'create x1', 60),
  ]
  const met = (target: string, other: string) =>
    judge(list).find(one => one.target === target && one.against === other)?.isMet
  t.equal(met('hn4-uring', 'limit'), false)
  t.equal(met('hn4-dev', 'limit'), true)
  t.equal(met('hn4-uring', 'fuse2fs'), false, '1.32 of 1.5')
  t.equal(met('hn4-dev', 'fuse2fs'), true, 'behind, but the limit is no further ahead')
})

t.test('write-back mode has its own goal', async t => {
  const row = '4 KiB overwrite, one fsync'
  const list = [measured('hn4-writeback', row, 90), measured('hn4-dev', row, 10), measured('ext4', row, 100)]
  const judged = judge(list).filter(({ against }) => against === 'ext4')
  t.strictSame(
    judged.map(({ target, isMet }) => [target, isMet]),
    [['hn4-writeback', true]],
  )
})

t.test('a filled filesystem is compared with itself when it was empty, an aged file with the fresh one', async t => {
  const list = [
    measured('hn4-dev', 'create at 10 %', 100),
    measured('hn4-dev', 'create at 90 %', 79),
    measured('ext4', 'create at 10 %', 100),
    measured('ext4', 'create at 90 %', 10),
    measured('hn4-dev', 'stream read cold, fresh at 80 %', 100),
    measured('hn4-dev', 'stream read cold, overwritten twice at 80 %', 60),
    measured('btrfs', 'stream read cold, overwritten twice at 80 %', 30),
  ]
  t.strictSame(
    judge(list).map(({ row, target, against: other, isMet }) => [row, target, other, isMet]),
    [
      ['create at 90 %', 'hn4-dev', 'create at 10 %', false],
      ['stream read cold, overwritten twice at 80 %', 'hn4-dev', 'stream read cold, fresh at 80 %', true],
      ['stream read cold, overwritten twice at 80 %', 'hn4-dev', 'btrfs', false],
    ],
  )
})

const isShown = (row: Row) => row.isHidden !== true

t.test('a volume mounts again after a crash within two seconds', async t => {
  const row = 'mount after a crash, 4 TiB'
  for (const [figure, wanted] of [
    [1999, true],
    [2001, false],
  ] as const)
    t.strictSame(
      judge([measured('hn4-dev', row, figure, { unit: 'ms' })]).map(({ isMet }) => isMet),
      [wanted],
    )
})

const ROWS = ['short', 'full', 'costs'].flatMap(size => mainGroups(size).flatMap(({ rows }) => rows))
t.test('each row has a name of its own', async t => {
  for (const groups of [mainGroups('short'), fillGroups(false)]) {
    const names = groups.flatMap(({ rows }) => rows.filter(isShown).map(({ name }) => name))
    t.equal(new Set(names).size, names.length)
  }
})

t.test('goals name rows that are measured', async t => {
  const names = new Set(ROWS.filter(isShown).map(({ name }) => name))
  const withOwn = [...names].filter(name => goalsOf(name).length > 4)
  // create, rename, unlink, mkdir, rmdir, stat, list, list + stat by 1, 2, 4 processes; 4 KiB files written and read,
  // twice after fsync; 9 of the large file; 6 programs; 2 of SQLite.
  t.equal(withOwn.length, 24 + 6 + 2 + 7 + 6 + 2, withOwn.join('\n'))
})

t.test('costs are shown for each row of hn4, and beside an earlier run', async t => {
  const row = (target: string, costs: Costs) => measured(target, 'create x1', 1, { costs })
  const now = [row('hn4-dev', { cpuUs: 50, requests: 0.2, writtenBytes: 0, switches: 4 }), row('ext4', { requests: 9 })]
  const before = [row('hn4-dev', { cpuUs: 40, requests: 0, writtenBytes: 0, switches: 8 })]
  t.strictSame(costsTable(now).slice(2).map(cells), [
    ['create x1', 'hn4-dev', 'operation', '50.0', '0.200', '0.000', '4.00'],
  ])
  t.strictSame(against(now, before).slice(2).map(cells), [
    ['create x1', 'hn4-dev', '50.0', '1.25', '0.200', 'new', '0.000', '1.00', '4.00', '0.50'],
  ])
  t.equal(against(now, []).length, 2, 'rows that the earlier run has not are left out')
})

t.test('figures are put between the marks of their section, in place of older ones', async t => {
  const text = 'a\n<!-- measured:run -->\nold\n<!-- end measured:run -->\nb\n'
  const done = putBetween(text, 'run', ['new'])
  t.equal(done, 'a\n<!-- measured:run -->\n\nnew\n\n<!-- end measured:run -->\nb\n')
  t.equal(putBetween(done, 'run', ['new']), done)
  t.throws(() => putBetween(text, 'fill', []), /no place for figures of fill/)
})

const POINTS = [1000, 10, 100].map(x => ({
  series: 'files',
  target: 'hn4-dev',
  curve: 'create <1',
  x,
  figure: 2000 / x,
  unit: '/s',
}))
t.test('a curve is told by its first and its last point', async t => {
  t.strictSame(cells(growthTable(POINTS)[2]), [
    'files',
    'create <1',
    'hn4-dev',
    '/s',
    '200 at 10',
    '2.00 at 1000',
    '0.01',
  ])
})

t.test('a line goes through its points in order of x, below a round number', async t => {
  for (const [value, wanted] of [
    [1, 1],
    [1.01, 2],
    [499, 500],
    [501, 1000],
    [0.03, 0.05],
  ] as const)
    t.ok(Math.abs(roundUp(value) - wanted) < 1e-9, `${value}: ${roundUp(value)}`)
  const svg = lineChart({ title: 'a & b', xTitle: 'files', isLog: true }, POINTS)
  t.match(svg, 'a &amp; b')
  t.match(svg, 'create &lt;1, /s')
  // 200, 20 and 2 of 200 over factors of ten: left to right, and down.
  t.match(svg, 'points="64.0,86.0 274.0,257.0 484.0,274.1"')
})

t.test('growth is judged by what an almost empty volume gives, and by a million files', async t => {
  const load = (target: string, x: number, figure: number) => ({
    series: 'load',
    target,
    curve: 'create',
    x,
    figure,
    unit: '/s',
  })
  const known = { series: 'files', target: 'hn4-dev', curve: 'resident, files known', unit: 'MiB' }
  const points = [
    ...[load('hn4-dev', 95, 51), load('hn4-dev', 90, 49), load('hn4-dev', 80, 69), load('hn4-dev', 10, 100)],
    ...[load('ext4', 10, 100), load('ext4', 80, 1)],
    { ...known, x: 100_000, figure: 500 },
    { ...known, x: 1_000_000, figure: 401 },
  ]
  t.strictSame(
    judgeGrowth(points).map(({ target, x, isMet }) => [target, x, isMet]),
    [
      ['hn4-dev', 80, false],
      ['hn4-dev', 90, false],
      ['hn4-dev', 95, true],
      ['hn4-dev', 1_000_000, false],
    ],
  )
})
