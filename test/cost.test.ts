import t from 'tap'
// @ts-expect-error a script, plain JavaScript
import * as script from '../../scripts/cost/figures.mjs'

type Costs = Readonly<Record<string, number>>
interface Row {
  readonly key: string
  readonly ratio: number
  readonly min: number
  readonly max: number
  readonly isJudged: boolean
  readonly isOver: boolean
}
const { costsOf, deviceWork, MEASURES, median, parseCpuList, ratio, stolenShare, summarize, table } =
  script as unknown as {
    costsOf(text: string, ops: number): [Costs, Costs]
    deviceWork(numbers: readonly number[]): Costs
    MEASURES: readonly { key: string }[]
    median(values: readonly number[]): number
    parseCpuList(text: string): number[]
    ratio(before: number, after: number): number
    stolenShare(before: string, after: string): number
    summarize(pairs: readonly (readonly [Costs, Costs])[], limit: number): Row[]
    table(rows: readonly Row[]): string[]
  }

/** What the client prints of a side: /sys/block/NAME/stat has 17 numbers. */
const side = (n: number, endedReads: number) => `${n} begin cpu_ns 300000000
${n} begin switches 100 10
${n} begin switches 5 0
${n} begin device 7 1 56 3 10 0 80 4 0 5 6 2 0 16 1 3 9
${n} worked cpu_ns 500000000
${n} worked client_ns 50000000
${n} worked wall_ns 400000000
${n} worked device 7 1 56 3 30 0 240 4 0 5 6 2 0 16 1 7 9
${n} ended cpu_us 510000
${n} ended switches 300 15
${n} ended device       ${endedReads}        1       58 3 40 0 320 4 0 5 6 4 0 32 1 9 9
`

t.test('requests and transfers of a block device are told apart', async t => {
  t.strictSame(deviceWork([7, 1, 56, 3, 10, 2, 80, 4, 0, 5, 6, 2, 0, 16, 1, 3, 9]), {
    reads: 7,
    writes: 10,
    discards: 2,
    flushes: 3,
    requests: 22,
    kib: 68,
  })
  t.equal(
    deviceWork([7, 1, 56, 3, 10, 2, 80, 4, 0, 5, 6]).requests,
    17,
    'old kernels count neither discards nor flushes',
  )
})

t.test("what a run cost is counted from the mount's first answer to the daemon's end, per operation", async t => {
  const [before, after] = costsOf(side(0, 8) + side(1, 18), 10)
  t.strictSame(before, {
    daemonUs: 21_000,
    cpuUs: 26_000,
    reads: 0.1,
    writes: 3,
    discards: 0.2,
    flushes: 0.6,
    requests: 3.9,
    kib: 12.1,
    switches: 20,
    unmountUs: 1000,
    unmountRequests: 1.5,
    wallUs: 40_000,
  })
  t.equal(after.reads, 1.1, 'the other side is another')
})

t.test('a client that says something else, or not all, is an error', async t => {
  t.throws(() => costsOf(`${side(0, 8)}${side(1, 8)}oops\n`, 10), { message: 'not a line of the client: oops' })
  t.throws(() => costsOf(side(0, 8), 10), { message: "the client said nothing of 'begin cpu_ns'" })
})

t.test('the median is the middle, or between the two', async t => {
  t.equal(median([10, 1, 9]), 9)
  t.equal(median([10, 1, 2, 9]), 5.5)
})

t.test('a ratio of nothing to nothing is no change, something after nothing is endless', async t => {
  t.equal(ratio(4, 5), 1.25)
  t.equal(ratio(0, 0), 1)
  t.equal(ratio(0, 1), Number.POSITIVE_INFINITY)
})

/** Costs that are all `value`, but for some. */
const costs = (value: number, other: Costs = {}): Costs => ({
  ...Object.fromEntries(MEASURES.map(({ key }) => [key, value])),
  ...other,
})

t.test('the median of the ratios of pairs is judged, not the ratio of medians', async t => {
  // The machine was slow in the second pair, on both sides.
  const rows = summarize(
    [100, 300, 110].map(base => [costs(base), costs(base * 1.04, { cpuUs: base * 1.02 })] as const),
    1.03,
  )
  const over = rows.filter(row => row.isOver).map(row => row.key)
  t.strictSame(over, ['daemonUs', 'requests'], 'wall, which is over too, is not judged')
  t.match(
    table(rows).find(line => line.includes('* daemon CPU')),
    /1\.040 +1\.040 \.\. 1\.040 +OVER$/,
  )
})

t.test('one bad pair of many decides nothing but the spread', async t => {
  const pairs = [1, 1, 3].map(factor => [costs(10), costs(10 * factor)] as const)
  const [row] = summarize(pairs, 1.03)
  t.strictSame([row?.ratio, row?.min, row?.max, row?.isOver], [1, 1, 3, false])
})

t.test('a table has no rows of zeros, but for what is judged', async t => {
  const zero = costs(1, { discards: 0, requests: 0 })
  const lines = table(summarize([[zero, zero]], 1.03))
  t.notOk(lines.some(line => line.includes('discards')))
  t.match(
    lines.find(line => line.includes('device requests')),
    / 0 +0 +1\.000/,
  )
})

t.test('lists of processors are read as the kernel writes them', async t => {
  t.strictSame(parseCpuList('0-2,5'), [0, 1, 2, 5])
  t.strictSame(parseCpuList('3\n'), [3])
  t.throws(() => parseCpuList('all'), /not a list of processors/)
})

t.test("the host's share of the time is a difference of two looks", async t => {
  const stat = (idle: number, stolen: number) => `cpu  10 0 10 ${idle} 0 0 0 ${stolen} 4 0\ncpu0 1 2 3\n`
  t.equal(stolenShare(stat(80, 0), stat(170, 10)), 0.1)
  t.equal(stolenShare(stat(80, 0), stat(80, 0)), 0)
})
