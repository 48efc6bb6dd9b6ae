/**
 * SipHash-2-4 with 64-bit result (Aumasson and Bernstein, 2012) on 32-bit halves.
 *
 * Own lines: the packages that exist come without types or return strings, and the
 * algorithm is one page. The published vectors are in the test.
 */

/** Key of the volume's hashes, split once. */
export interface SipKey {
  readonly k0l: number
  readonly k0h: number
  readonly k1l: number
  readonly k1h: number
}

export function sipKey(key: Uint8Array): SipKey {
  const view = new DataView(key.buffer, key.byteOffset, 16)
  return {
    k0l: view.getUint32(0, true),
    k0h: view.getUint32(4, true),
    k1l: view.getUint32(8, true),
    k1h: view.getUint32(12, true),
  }
}

// State v0..v3 as low and high halves: one module-level array instead of an allocation per call.
const v = new Int32Array(8)

function addRotateXor(a: number, b: number, bits: number): void {
  // v[a] += v[b]; v[b] = rotl(v[b], bits) ^ v[a]
  const low = (v[a]! >>> 0) + (v[b]! >>> 0)
  v[a + 1] = v[a + 1]! + v[b + 1]! + (low > 0xffffffff ? 1 : 0)
  v[a] = low
  const l = v[b]!
  const h = v[b + 1]!
  v[b] = ((l << bits) | (h >>> (32 - bits))) ^ v[a]!
  v[b + 1] = ((h << bits) | (l >>> (32 - bits))) ^ v[a + 1]!
}

// Rotation by 32 is a swap of the halves.
function swapHalves(a: number): void {
  const low = v[a]!
  v[a] = v[a + 1]!
  v[a + 1] = low
}

function round(): void {
  addRotateXor(0, 2, 13)
  swapHalves(0)
  addRotateXor(4, 6, 16)
  addRotateXor(0, 6, 21)
  addRotateXor(4, 2, 17)
  swapHalves(4)
}

/** Low and high 32 bits of the hash. */
export function siphash24Halves(key: SipKey, data: Uint8Array): readonly [low: number, high: number] {
  v[0] = key.k0l ^ 0x70736575
  v[1] = key.k0h ^ 0x736f6d65
  v[2] = key.k1l ^ 0x6e646f6d
  v[3] = key.k1h ^ 0x646f7261
  v[4] = key.k0l ^ 0x6e657261
  v[5] = key.k0h ^ 0x6c796765
  v[6] = key.k1l ^ 0x79746573
  v[7] = key.k1h ^ 0x74656462
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const whole = data.length & ~7
  for (let at = 0; at < whole; at += 8) absorb(view.getUint32(at, true), view.getUint32(at + 4, true))
  let low = 0
  let high = data.length << 24
  for (let i = 0; i < data.length - whole; i++) {
    if (i < 4) low |= data[whole + i]! << (8 * i)
    else high |= data[whole + i]! << (8 * (i - 4))
  }
  absorb(low, high)
  v[4] = v[4]! ^ 0xff
  for (let i = 0; i < 4; i++) round()
  return [(v[0]! ^ v[2]! ^ v[4]! ^ v[6]!) >>> 0, (v[1]! ^ v[3]! ^ v[5]! ^ v[7]!) >>> 0]
}

function absorb(low: number, high: number): void {
  v[6] = v[6]! ^ low
  v[7] = v[7]! ^ high
  round()
  round()
  v[0] = v[0]! ^ low
  v[1] = v[1]! ^ high
}

/** The 64-bit hash. */
export function siphash24(key: SipKey, data: Uint8Array): bigint {
  const [low, high] = siphash24Halves(key, data)
  return (BigInt(high) << 32n) | BigInt(low)
}
