import t from 'tap'
import { Meter, STALLED_MS } from '../src/console/meter.ts'
import { Progress } from '../src/console/progress.ts'

/** A clock that moves only when told to. */
function clock() {
  let atMs = 1000
  return {
    now: () => atMs,
    pass: (ms: number) => {
      atMs += ms
    },
  }
}

t.test('the share is never above 100 and 100 only at the end', async t => {
  const meter = new Meter(1000, clock().now)
  meter.update(999)
  t.equal(meter.read().percent, 99)
  meter.update(1000)
  t.equal(meter.read().percent, 100)
  meter.update(5000)
  t.equal(meter.read().percent, 100)
})

t.test('no rate and no time left before two samples', async t => {
  const { now, pass } = clock()
  const meter = new Meter(1000, now)
  meter.update(10)
  t.equal(meter.read().rate, undefined)
  t.equal(meter.read().secondsLeft, undefined)
  pass(1000)
  meter.update(100)
  t.equal(meter.read().rate, 100)
  t.equal(meter.read().secondsLeft, 9)
})

t.test('the rate follows the last seconds', async t => {
  const { now, pass } = clock()
  const meter = new Meter(1e6, now)
  let done = 0
  for (let second = 0; second < 60; second++) {
    pass(1000)
    done += second < 40 ? 1000 : 10
    meter.update(done)
  }
  t.equal(Math.round(meter.read().rate ?? 0), 10)
})

t.test('a job that stands still is stalled and promises nothing', async t => {
  const { now, pass } = clock()
  const meter = new Meter(1000, now)
  pass(1000)
  meter.update(100)
  pass(STALLED_MS)
  meter.update(100)
  t.equal(meter.read().stalled, true)
  t.equal(meter.read().secondsLeft, undefined)
  meter.update(101)
  t.equal(meter.read().stalled, false)
})

t.test('a total of zero or unknown gives no nonsense', async t => {
  t.equal(new Meter(0, clock().now).read().percent, 100)
  t.equal(new Meter(undefined, clock().now).read().percent, undefined)
})

function recorder(isTerminal: boolean) {
  const written: string[] = []
  return { written, target: { write: (text: string) => void written.push(text), isTerminal, columns: 40 } }
}

t.test('on a terminal one line is drawn over, at most ten times a second', async t => {
  const { now, pass } = clock()
  const { written, target } = recorder(true)
  const progress = new Progress({ target, enabled: true, sizes: 'iec', now }, { title: 'pages', total: 1000 })
  for (let i = 0; i < 1000; i++) {
    pass(1)
    progress.update(i)
  }
  t.ok(written.length <= 11, `${written.length} lines`)
  t.ok(written.every(text => text.startsWith('\r') && text.length <= 40 + 4))
  progress.finish()
  t.match(written.at(-1), /^pages, 999 in 1 s\n$/)
})

t.test('elsewhere no control codes and one line per 30 s', async t => {
  const { now, pass } = clock()
  const { written, target } = recorder(false)
  const settings = { target, enabled: true, sizes: 'iec', now } as const
  const progress = new Progress(settings, { title: 'data', total: 1e9, unit: 'bytes' })
  for (let second = 0; second < 65; second++) {
    pass(1000)
    progress.update(second * 1e6)
  }
  progress.finish()
  t.equal(written.length, 3)
  for (const text of written) t.match(text, /^data, [ -~]*\n$/)
})

t.test('nothing at all where it is not wanted', async t => {
  const { now, pass } = clock()
  const { written, target } = recorder(true)
  const progress = new Progress({ target, enabled: false, sizes: 'iec', now }, { title: 'x', total: 2 })
  pass(1000)
  progress.update(1)
  progress.finish()
  t.strictSame(written, [])
})
