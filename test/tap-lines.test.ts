import t from 'tap'
// @ts-expect-error a script, plain JavaScript
import { countTap as count, TapFilter as Filter } from '../../scripts/tap-lines.mjs'

const countTap = count as (tap: string) => { passed: number; failed: number; skipped: number }
const TapFilter = Filter as new () => { shows(line: string): boolean }

const LOG = `TAP version 14
1..4
# Subtest: a.test.js
    # Subtest: good
        ok 1 - fine
        1..1
    ok 1 - good # time=1ms

    ok 2 - cannot here # SKIP no device
    # a.test.ts: 300 lines
    1..2
ok 1 - a.test.js # time=3ms

# Subtest: b.test.js
    # Subtest: bad
        not ok 1 - wrong
          ---
          found: 1
          ...

        1..1
    not ok 1 - bad # time=1ms

    ok 2 - good
    1..2
not ok 2 - b.test.js # time=3ms
  ---
  exitCode: 1
  ...

# Subtest: c.test.js
    ok 1 - good
    1..1
not ok 3 - c.test.js # time=3ms
  ---
  signal: SIGSEGV
  ...

ok 4 - d.test.js # time=1ms
`

t.test('tests are counted below their files, and a crash is a failure', async t => {
  t.strictSame(countTap(LOG), { passed: 3, failed: 2, skipped: 1 })
  t.strictSame(countTap(''), { passed: 0, failed: 0, skipped: 0 })
})

t.test('a log shows files, failures with their diagnosis, skips and remarks', async t => {
  const filter = new TapFilter()
  const shown = LOG.split('\n').filter(line => filter.shows(line))
  t.strictSame(shown, [
    '    ok 2 - cannot here # SKIP no device',
    '    # a.test.ts: 300 lines',
    'ok 1 - a.test.js # time=3ms',
    '        not ok 1 - wrong',
    '          ---',
    '          found: 1',
    '          ...',
    '    not ok 1 - bad # time=1ms',
    'not ok 2 - b.test.js # time=3ms',
    '  ---',
    '  exitCode: 1',
    '  ...',
    'not ok 3 - c.test.js # time=3ms',
    '  ---',
    '  signal: SIGSEGV',
    '  ...',
    'ok 4 - d.test.js # time=1ms',
  ])
})
