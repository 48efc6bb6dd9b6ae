/** The codecs of blocks: what is stored comes back, and nothing else does. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { hex } from '../../src/base/bytes.ts'
import { PACKAGE_TOP } from '../../src/base/package.ts'
import { type BlockCodec, PLAIN_CODEC } from '../../src/format/block-codec.ts'
import type { BlockPlace, Stamp } from '../../src/format/descriptor.ts'
import { runs } from '../support/property.ts'
import { pattern } from '../support/sample.ts'
import { XorCodec } from '../support/xor-codec.ts'

const KEY = Uint8Array.from({ length: 16 }, (_, i) => i)
const XOR = new XorCodec(KEY)

const place = fc.record({
  owner: fc.bigInt({ min: 1n, max: 2n ** 53n - 1n }),
  hint: fc.nat({ max: 0xffffffff }),
  index: fc.nat({ max: 2 ** 48 - 1 }),
  flags: fc.constantFrom(0, 0x20, 0x21),
  stored: fc.constant(4096),
})
const block = fc.oneof(
  fc.nat().map(seed => pattern(4096, seed)),
  fc.nat({ max: 255 }).map(byte => new Uint8Array(4096).fill(byte)),
)

const flipped = (bytes: Uint8Array, bit: number): Uint8Array => {
  const out = bytes.slice()
  out[bit >> 3]! ^= 1 << (bit & 7)
  return out
}

for (const [name, codec] of [
  ['plain', PLAIN_CODEC],
  ['xor', XOR],
] as const satisfies readonly (readonly [string, BlockCodec])[]) {
  t.test(`${name}: what is stored is loaded; one flipped bit is damage`, async t => {
    fc.assert(
      fc.property(place, block, fc.nat({ max: 4096 * 8 - 1 }), (where, plain, bit) => {
        const before = plain.slice()
        const { stored, stamp } = codec.store(where, codec.draw(), plain)
        const loaded = codec.load(where, stamp, stored)
        if (!(loaded instanceof Uint8Array) || Buffer.compare(loaded, before) !== 0) throw new Error('not the same')
        if (Buffer.compare(plain, before) !== 0) throw new Error('the plain bytes were changed')
        const damaged = codec.load(where, stamp, flipped(stored, bit))
        if (damaged instanceof Uint8Array || damaged.kind !== 'damaged') throw new Error(`bit ${bit} passed`)
      }),
      runs(30),
    )
    t.pass()
  })
}

t.test('the plain codec copies nothing and keeps the CRC alone', async t => {
  const where = { owner: 16n, hint: 1, index: 2, flags: 0, stored: 4096 }
  const plain = new Uint8Array(4096).fill(7)
  const { stored, stamp } = PLAIN_CODEC.store(where, new Uint8Array(16).fill(1), plain)
  t.equal(stored, plain)
  t.equal(PLAIN_CODEC.load({ ...where, index: 3 }, stamp, stored), plain, 'it binds to no place')
  t.strictSame([stamp.random, stamp.tag], [new Uint8Array(16), new Uint8Array(16)])
  t.equal(PLAIN_CODEC.descriptorSize, 32)
})

const WHERE: BlockPlace = { owner: 4711n, hint: 42, index: 5, flags: 0x20, stored: 4096 }

t.test('whole bytes with a wrong tag are forged: of another place, key, random part or content', async t => {
  const plain = pattern(4096, 9)
  const random = XOR.draw()
  const { stored, stamp } = XOR.store(WHERE, random, plain)
  t.not(Buffer.compare(stored, plain), 0)
  const kind = (where: BlockPlace, its: Stamp, bytes: Uint8Array, codec: BlockCodec = XOR): string => {
    const loaded = codec.load(where, its, bytes)
    return loaded instanceof Uint8Array ? 'good' : loaded.kind
  }
  t.equal(kind(WHERE, stamp, stored), 'good')
  for (const change of [{ owner: 4712n }, { hint: 43 }, { index: 6 }, { flags: 0x21 }, { stored: 4095 }])
    t.equal(kind({ ...WHERE, ...change }, stamp, stored), 'forged', JSON.stringify(Object.keys(change)))
  t.equal(kind({ ...WHERE, flags: WHERE.flags | 0x10 }, stamp, stored), 'good', 'UNWRITTEN is not bound')
  for (const bit of [0, 64, 127]) {
    t.equal(kind(WHERE, { ...stamp, tag: flipped(stamp.tag, bit) }, stored), 'forged', `tag bit ${bit}`)
    t.equal(kind(WHERE, { ...stamp, random: flipped(stamp.random, bit) }, stored), 'forged', `random bit ${bit}`)
  }
  t.equal(kind(WHERE, stamp, stored, new XorCodec(new Uint8Array(16))), 'forged', 'of another volume')
  const other = XOR.store(WHERE, random, pattern(4096, 10))
  t.equal(kind(WHERE, { ...stamp, crc: other.stamp.crc }, other.stored), 'forged', 'other bytes, their CRC')
  t.equal(kind(WHERE, stamp, other.stored), 'damaged', 'the CRC tells that bytes are torn or rotten')
  t.equal(kind(WHERE, { ...stamp, crc: stamp.crc ^ 1 }, stored), 'good', 'the CRC is asked when the tag is wrong')
})

/** A block of test/vectors/xor-codec.json: byte i of the plain block is (i * step + first) mod 256. */
interface CodecVector extends Omit<BlockPlace, 'owner'> {
  readonly owner: number
  readonly random: string
  readonly step: number
  readonly first: number
  readonly stored_begins: string
  readonly crc: number
  readonly tag: string
}

t.test('the test codec is the one that the engine has too: the vectors of both', async t => {
  const text = readFileSync(join(PACKAGE_TOP, 'test/vectors/xor-codec.json'), 'utf8')
  const vectors = JSON.parse(text) as { readonly hash_key: string; readonly blocks: readonly CodecVector[] }
  t.ok(vectors.blocks.length > 3)
  const codec = new XorCodec(Buffer.from(vectors.hash_key, 'hex'))
  for (const v of vectors.blocks) {
    const plain = Uint8Array.from({ length: 4096 }, (_, i) => i * v.step + v.first)
    const where = { ...v, owner: BigInt(v.owner) }
    const { stored, stamp } = codec.store(where, Buffer.from(v.random, 'hex'), plain)
    t.equal(hex(stored.subarray(0, 16)), v.stored_begins)
    t.strictSame([stamp.crc, hex(stamp.random), hex(stamp.tag)], [v.crc, v.random, v.tag])
    t.strictSame(codec.load(where, stamp, stored), plain)
  }
})

t.test('no random part is drawn twice', async t => {
  const codec = new XorCodec(KEY)
  const drawn = new Set(Array.from({ length: 1000 }, () => Buffer.from(codec.draw()).toString('hex')))
  t.equal(drawn.size, 1000)
})
