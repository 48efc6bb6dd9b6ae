import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { fromHex } from '../../src/base/bytes.ts'
import { PACKAGE_TOP } from '../../src/base/package.ts'
import { blockNumber } from '../../src/base/units.ts'
import { largestPrime } from '../../src/format/prime.ts'
import { sipKey } from '../../src/format/siphash.ts'
import {
  addressByEquation,
  addressBySegment,
  coveringSegment,
  decodeSegment,
  encodeSegment,
  type Segment,
  seedHash,
  segmentProblem,
  sortSegments,
  theta,
  type Window,
} from '../../src/format/trajectory.ts'

function windowOf(start: number, blocks: number): Window {
  return {
    start: blockNumber(start),
    phi: scale => (scale === 0 ? blocks : largestPrime(Math.floor(blocks / 2 ** scale))),
  }
}

t.test('every legal equation visits each cluster of a small window once', async t => {
  const window = windowOf(1000, 101)
  for (const scale of [0, 1, 2, 3]) {
    const phi = window.phi(scale)
    const size = 2 ** scale
    for (let stride = 1; stride < phi; stride++) {
      const gravity = blockNumber(1000 + ((stride * 7) % phi) * size)
      const first = 2 ** 40 + stride
      const base = first - (first % size)
      const seen = new Set<number>()
      for (let i = 0; i < phi * size; i++) seen.add(addressByEquation(window, { gravity, stride, scale }, base + i, 3))
      const inside = [...seen].every(a => a >= 1000 && a < 1000 + phi * size)
      if (seen.size !== phi * size || !inside) t.fail(`phi ${phi} stride ${stride} scale ${scale}`)
    }
  }
})

t.test('the arithmetic is exact for the largest volume', async t => {
  const phi = 2 ** 44 - 17
  const window = windowOf(100, phi)
  const [index, stride, origin, offset] = [2 ** 48 - 1, phi - 2, phi - 5, phi - 9]
  const expected = Number((BigInt(origin) + BigInt(index) * BigInt(stride) + BigInt(offset)) % BigInt(phi))
  t.equal(
    addressByEquation(window, { gravity: blockNumber(100 + origin), stride, scale: 0 }, index, offset),
    100 + expected,
  )
})

t.test('theta is far from the home of a file and inside the window', async t => {
  const key = sipKey(new Uint8Array(16))
  const seen = new Set<number>()
  for (let i = 0; i < 200; i++) {
    const far = theta(seedHash(key, new Uint8Array(16).fill(i)), 1, 1009)
    t.ok(far >= 252 && far < 252 + 504)
    seen.add(far)
  }
  t.ok(seen.size > 100)
  t.equal(theta(5n, 0, 1009), 0)
})

t.test('a segment is 16 bytes, and wraps around the window', async t => {
  const segment: Segment = { first: 2 ** 48 - 10, length: 9, gravity: blockNumber(1100), copy: 1 }
  t.strictSame(decodeSegment(encodeSegment(segment), 0), segment)
  const large: Segment = { first: 1, length: 2 ** 32 - 1, gravity: blockNumber(2 ** 44 - 1), copy: 15 }
  t.strictSame(decodeSegment(encodeSegment(large), 0), large)
  const window = windowOf(1000, 101)
  t.equal(addressBySegment(window, segment, segment.first, 0), 1100)
  t.equal(addressBySegment(window, segment, segment.first + 1, 0), 1000)
  t.equal(segmentProblem(window, segment), null)
  t.ok(segmentProblem(window, { ...segment, length: 0 }))
  t.ok(segmentProblem(window, { ...segment, length: 11 }))
  t.ok(segmentProblem(window, { ...segment, gravity: blockNumber(1101) }))
  t.ok(segmentProblem(window, { ...segment, gravity: blockNumber(999) }))
  t.ok(segmentProblem(window, { ...segment, copy: 2 }))
})

t.test('the segment that covers an index is found, overlap is noticed', async t => {
  const at = (first: number, length: number, copy = 0): Segment => ({ first, length, gravity: blockNumber(1000), copy })
  const list = [at(50, 10), at(10, 5), at(0, 100, 1), at(60, 1)]
  t.equal(sortSegments(list), null)
  t.equal(coveringSegment(list, 9, 0), null)
  t.equal(coveringSegment(list, 10, 0)?.first, 10)
  t.equal(coveringSegment(list, 14, 0)?.first, 10)
  t.equal(coveringSegment(list, 15, 0), null)
  t.equal(coveringSegment(list, 60, 0)?.first, 60)
  t.equal(coveringSegment(list, 61, 0), null)
  t.equal(coveringSegment(list, 61, 1)?.first, 0)
  t.equal(sortSegments([at(10, 5), at(14, 1)])?.first, 14)
})

type Texts = Record<string, string>
const read = (name: string) => JSON.parse(readFileSync(join(PACKAGE_TOP, 'test/vectors', name), 'utf8'))

t.test('the addresses are those that the allocator computes', async t => {
  const file = read('trajectory.json') as {
    seedHashes: Texts[]
    windows: { start: string; blocks: string; addresses: Texts[]; phis: Texts[] }[]
  }
  for (const { hashKey, seedHash: hash, seedId } of file.seedHashes) {
    t.equal(seedHash(sipKey(fromHex(hashKey!)!), fromHex(seedId!)!), BigInt(hash!))
  }
  for (const { start, blocks, addresses } of file.windows) {
    const window = windowOf(Number(start), Number(blocks))
    for (const a of addresses) {
      const scale = Number(a['scale'])
      const equation = { gravity: blockNumber(Number(a['gravity'])), stride: Number(a['stride']), scale }
      const offset = theta(BigInt(a['seedHash']!), Number(a['shell']), window.phi(scale))
      const block = addressByEquation(window, equation, Number(a['index']), offset)
      if (block !== Number(a['block'])) t.fail(`${JSON.stringify(a)}: ${block}`)
    }
    t.ok(addresses.length > 10)
  }
})

t.test('the segments are those that the allocator writes', async t => {
  const file = read('segment.json') as Texts & { corrupt: string[]; segments: (Texts & { addresses: Texts[] })[] }
  const window = windowOf(Number(file['start']), Number(file['blocks']))
  for (const { bytes, addresses, ...fields } of file.segments) {
    const segment = decodeSegment(fromHex(bytes!)!, 0)
    t.equal(segmentProblem(window, segment), null)
    for (const name of ['first', 'length', 'gravity', 'copy'] as const) t.equal(segment[name], Number(fields[name]))
    t.equal(Buffer.from(encodeSegment(segment)).toString('hex'), bytes)
    for (const { block, index, shell } of addresses) {
      const offset = theta(BigInt(file['seedHash']!), Number(shell), window.phi(0))
      t.equal(addressBySegment(window, segment, Number(index), offset), Number(block))
    }
  }
  for (const bytes of file.corrupt) t.ok(segmentProblem(window, decodeSegment(fromHex(bytes)!, 0)), bytes)
})
