import t from 'tap'
import {
  checkGeometry,
  copyPages,
  dataBlocks,
  type Geometry,
  pageInCopy,
  phi,
  regionOfPage,
} from '../../src/format/geometry.ts'
import { REGIONS } from '../../src/format/layout.ts'
import { minimumBlocks, type PlanOptions, planGeometry } from '../../src/format/plan.ts'
import { isPrime, largestPrime } from '../../src/format/prime.ts'
import {
  decodeSuperblock,
  encodeSuperblock,
  geometryOf,
  newSuperblock,
  superblockProblem,
} from '../../src/format/superblock.ts'

const MIB = 256
const SIZES = [4096, 5000, 16 * MIB, 64 * MIB, 256 * MIB, 4096 * MIB - 1, 4096 * MIB, 2 ** 28, 2 ** 40, 2 ** 44]
const identity = {
  uuid: new Uint8Array(16).fill(1),
  salt: new Uint8Array(16).fill(2),
  hashKey: new Uint8Array(16).fill(3),
  label: new TextEncoder().encode('label'),
  createdNs: 5n,
}

t.test('primes are those of trial division, and of known tables', async t => {
  for (let n = 0; n < 3000; n++) {
    let prime = n > 1
    for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false
    if (isPrime(n) !== prime) t.fail(`${n}`)
  }
  t.equal(isPrime(3215031751), false, 'a strong pseudoprime to 2, 3, 5 and 7')
  t.equal(largestPrime(2 ** 44), 2 ** 44 - 17, 'the largest prime below 2^44')
  t.equal(largestPrime(1), 0)
})

t.test('every plan obeys the rules of the format and is full', async t => {
  const options: PlanOptions[] = [{}, { copies: 1 }, { slots: 1 }, { slots: 5000 }]
  for (const blocks of SIZES) {
    for (const option of options) {
      const g = planGeometry(blocks, option)
      checkGeometry(g, 0)
      t.equal(g.blockCount, blocks)
      t.ok(option.slots === undefined || g.pages.CORTEX * 21 >= option.slots)
    }
  }
})

t.test('metadata takes at most 9 % of 256 MiB and 7 % from 4 GiB', async t => {
  for (const [blocks, share] of [
    [256 * MIB, 0.09],
    [4096 * MIB, 0.07],
    [2 ** 28, 0.07],
  ] as const) {
    const g = planGeometry(blocks)
    const data = g.windowBlocks
    t.ok((blocks - data) / blocks <= share, `${(100 * (blocks - data)) / blocks} %`)
    t.equal(dataBlocks(g) + 2 * copyPages(g) + g.logBlocks + 6, blocks)
  }
})

t.test('too small is an error with the minimum, and the minimum works', async t => {
  t.throws(() => planGeometry(4095), { code: 'TOO_SMALL', detail: { minimum: 16777216 } })
  const minimum = minimumBlocks({ slots: 1_000_000 })
  planGeometry(minimum, { slots: 1_000_000 })
  t.throws(() => planGeometry(minimum - 1, { slots: 1_000_000 }), { code: 'TOO_SMALL' })
  t.throws(() => planGeometry(2 ** 44 + 1), { code: 'TOO_LARGE' })
  t.throws(() => planGeometry(4096, { stride: 2 ** 30 }), { code: 'ARGUMENT' })
})

t.test('a superblock comes back, and any change of a geometry field is found', async t => {
  const g = planGeometry(16 * MIB)
  const fields = newSuperblock(g, identity, 2)
  const block = encodeSuperblock(fields)
  t.equal(superblockProblem(block, 2), null)
  t.match(superblockProblem(block, 1), /position 2/)
  t.strictSame(geometryOf(decodeSuperblock(block)), g)
  const names = [
    'block_count',
    'log_start',
    'log_blocks',
    'copy_a',
    'copy_b',
    'window_start',
    'window_blocks',
    'area_blocks',
    'init_pages',
    'free_pages',
    'unit_pages',
    'descriptor_pages',
    'cortex_pages',
    'stash_pages',
    'extension_pages',
    'key_pages',
    'scrub_pages',
  ] as const
  for (const name of names) {
    for (const value of [0n, fields[name] + 1n, fields[name] - 1n, 2n ** 63n]) {
      if (name === 'copy_b' && value === 0n) continue
      t.throws(
        () => checkGeometry(geometryOf({ ...fields, [name]: value }), 2),
        { code: 'GEOMETRY' },
        `${name} ${value}`,
      )
    }
  }
  for (const change of [
    { stride: 0n },
    { stride: BigInt(g.windowBlocks) },
    { scale: 13 },
    { shells: 3 },
    { descriptor_size: 64 },
  ]) {
    t.throws(() => checkGeometry(geometryOf({ ...fields, ...change }), 2), { code: 'GEOMETRY' })
  }
})

t.test('any flipped bit of a superblock is noticed', async t => {
  const block = encodeSuperblock(newSuperblock(planGeometry(16 * MIB), identity, 0))
  for (let bit = 0; bit < block.length * 8; bit += 7) {
    const damaged = block.slice()
    damaged[bit >> 3]! ^= 1 << (bit & 7)
    if (superblockProblem(damaged, 0) === null) t.fail(`bit ${bit}`)
  }
})

t.test('pages of a copy are counted region by region', async t => {
  const g: Geometry = planGeometry(64 * MIB)
  let at = 0
  for (const [region] of REGIONS) {
    t.equal(pageInCopy(g, region, 0), at)
    t.strictSame(regionOfPage(g, pageInCopy(g, region, g.pages[region] - 1)), { region, page: g.pages[region] - 1 })
    at += g.pages[region]
  }
  t.throws(() => pageInCopy(g, 'STASH', 4), RangeError)
  t.equal(phi(g, 0), g.windowBlocks)
  t.ok(isPrime(phi(g, 3)))
})
