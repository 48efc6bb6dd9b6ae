import t from 'tap'
import { decode, encode, offsetOf, sizeOf } from '../../src/format/codec.ts'
import { crc32c, crc32cWithHole } from '../../src/format/crc32c.ts'
import { ATTRIBUTES, DIR_STATE, RECORDS } from '../../src/format/layout.ts'
import { siphash24, sipKey } from '../../src/format/siphash.ts'

t.test('CRC32C gives the values of RFC 3720 B.4', async t => {
  const vectors: [string, Uint8Array, number][] = [
    ['digits', new TextEncoder().encode('123456789'), 0xe3069283],
    ['zeros', new Uint8Array(32), 0x8a9136aa],
    ['ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ['rising', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ['falling', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  ]
  for (const [name, bytes, expected] of vectors) t.equal(crc32c(bytes), expected, name)
})

t.test('a checksum continues, and a hole reads as zeros', async t => {
  const bytes = Uint8Array.from({ length: 100 }, (_, i) => i)
  t.equal(crc32c(bytes.subarray(37), crc32c(bytes.subarray(0, 37))), crc32c(bytes))
  const holed = bytes.slice().fill(0, 20, 24)
  t.equal(crc32cWithHole(bytes, 20), crc32c(holed))
})

t.test('SipHash-2-4 gives the published vectors', async t => {
  const key = sipKey(Uint8Array.from({ length: 16 }, (_, i) => i))
  const published: [number, string][] = [
    [0, '310e0edd47db6f72'],
    [1, 'fd67dc93c539f874'],
    [2, '5a4fa9d909806c0d'],
    [7, '37d1018bf50002ab'],
    [8, '6224939a79f5f593'],
    [15, 'e545be4961ca29a1'],
    [63, '724506eb4c328a95'],
  ]
  for (const [length, expected] of published) {
    const view = new DataView(new ArrayBuffer(8))
    view.setBigUint64(
      0,
      siphash24(
        key,
        Uint8Array.from({ length }, (_, i) => i),
      ),
      true,
    )
    t.equal(Buffer.from(view.buffer).toString('hex'), expected, `length ${length}`)
  }
})

t.test('every record comes back from bytes as it went in', async t => {
  for (const layout of RECORDS) {
    const fields: Record<string, unknown> = {}
    for (const [i, [name, , type]] of layout.fields.entries()) {
      if (type === 'u64') fields[name] = 2n ** 63n + BigInt(i)
      else if (type === 'i64') fields[name] = -BigInt(i) - 1n
      else if (type.startsWith('bytes:')) fields[name] = new Uint8Array(sizeOf(type)).fill(i + 1)
      else if (!type.startsWith('zero:')) fields[name] = 2 ** (8 * sizeOf(type)) - 1 - i
    }
    const bytes = new Uint8Array(layout.size + 8).fill(0xff)
    encode(layout, fields as never, bytes, 4)
    t.strictSame({ ...decode(layout, bytes, 4) }, fields, layout.name)
    t.equal(bytes[3], 0xff, 'nothing before it is touched')
    t.equal(bytes[layout.size + 4], 0xff, 'nothing behind it is touched')
  }
})

t.test('a reserved byte that is set is an error that names it', async t => {
  const bytes = new Uint8Array(DIR_STATE.size)
  bytes[25] = 1
  t.throws(() => decode(DIR_STATE, bytes), { code: 'RESERVED', detail: { record: 'DirState', offset: 25 } })
})

t.test('values that do not fit are refused, not cut', async t => {
  const bytes = new Uint8Array(ATTRIBUTES.size)
  const good = decode(ATTRIBUTES, bytes)
  for (const bad of [
    { uid: 2 ** 32 },
    { uid: -1 },
    { uid: 1.5 },
    { blocks: 2 ** 48 },
    { atime: 2n ** 63n },
    { parent_number: -1n },
  ]) {
    t.throws(() => encode(ATTRIBUTES, { ...good, ...bad }, bytes), TypeError)
  }
  t.throws(() => decode(ATTRIBUTES, bytes, 1), RangeError)
  t.equal(offsetOf(ATTRIBUTES, 'crc'), 60)
})
