import fc from 'fast-check'
import t from 'tap'
import { UsageError } from '../src/console/failure.ts'
import { counted, formatCount, formatSeconds, formatSize, parseSize } from '../src/console/size.ts'
import { runs } from './support/property.ts'

t.test('sizes are read exactly', async t => {
  const expected: [string, number][] = [
    ['0', 0],
    ['4096', 4096],
    ['4k', 4096],
    ['4K', 4096],
    ['4KiB', 4096],
    ['4KB', 4000],
    ['1.5G', 1.5 * 2 ** 30],
    ['512M', 2 ** 29],
    ['1T', 2 ** 40],
    [' 2g ', 2 ** 31],
    ['1.1GB', 1_100_000_000],
    ['7P', 7 * 2 ** 50],
  ]
  for (const [text, bytes] of expected) t.equal(parseSize(text), bytes, text)
})

t.test('what is no size is a usage error', async t => {
  const wrong = ['', 'x', '-1', '1e3', '0x10', '4kk', '1.G', '.5G', '1.1k', '8P', '9999999999999999', '12ib', '1 G x']
  for (const text of wrong) t.throws(() => parseSize(text), UsageError, text)
})

t.test('sizes are shown in the chosen style', async t => {
  t.equal(formatSize(0), '0 B')
  t.equal(formatSize(1023), '1023 B')
  t.equal(formatSize(1024), '1.00 KiB')
  t.equal(formatSize(1.5 * 2 ** 30), '1.50 GiB')
  t.equal(formatSize(2 ** 20 - 1), '1.00 MiB', 'rounding does not show 1024.00 KiB')
  t.equal(formatSize(1_500_000_000, 'si'), '1.50 GB')
  t.equal(formatSize(1500, 'si'), '1.50 kB')
  t.equal(formatSize(2n ** 53n, 'raw'), '9007199254740992')
})

t.test('a raw size is read back as the same number', async () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), bytes => parseSize(formatSize(bytes, 'raw')) === bytes),
    runs(200),
  )
})

t.test('counts and durations', async t => {
  t.equal(formatCount(999), '999')
  t.equal(counted(1, 'file'), '1 file')
  t.equal(counted(2000, 'file'), '2,000 files')
  t.equal(formatCount(1234567), '1,234,567')
  t.equal(formatSeconds(4.4), '4 s')
  t.equal(formatSeconds(187), '3:07')
  t.equal(formatSeconds(8109), '2:15:09')
})
