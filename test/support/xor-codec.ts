/**
 * A codec for tests of all that a real one needs, and no cipher: descriptors of 64 bytes, stored bytes that are not
 * the plain ones, a tag that is bound to volume and place. The engine's tests have the same
 * (native/core/src/testing).
 */
import { type BlockCodec, type BlockFault, type CodecMaker, crcFault } from '../../src/format/block-codec.ts'
import { flag } from '../../src/format/constants.ts'
import { crc32c } from '../../src/format/crc32c.ts'
import type { BlockPlace, Stamp } from '../../src/format/descriptor.ts'
import { type SipKey, siphash24, sipKey } from '../../src/format/siphash.ts'

const DESCRIPTOR_SIZE = 64
const RANDOM = 16
const UNWRITTEN = flag('DESCRIPTOR', 'UNWRITTEN')

/** Each byte with that of the random part at the same place of its 16: its own inverse. */
function xor(bytes: Uint8Array, random: Uint8Array): Uint8Array {
  return bytes.map((byte, i) => byte ^ random[i % RANDOM]!)
}

export class XorCodec implements BlockCodec {
  readonly descriptorSize = DESCRIPTOR_SIZE
  readonly #key: SipKey
  #drawn = 0

  /** `hashKey`: the volume's. */
  constructor(hashKey: Uint8Array) {
    this.#key = sipKey(hashKey)
  }

  /** Another one at each call of this codec. */
  draw(): Uint8Array {
    const random = new Uint8Array(RANDOM)
    const view = new DataView(random.buffer)
    view.setUint32(0, ++this.#drawn, true)
    view.setBigUint64(8, siphash24(this.#key, random), true)
    return random
  }

  store(place: BlockPlace, random: Uint8Array, plain: Uint8Array): { stored: Uint8Array; stamp: Stamp } {
    const stored = xor(plain, random)
    return { stored, stamp: { crc: crc32c(stored), random, tag: this.#tag(place, random, plain) } }
  }

  load(place: BlockPlace, stamp: Stamp, stored: Uint8Array): Uint8Array | BlockFault {
    const plain = xor(stored, stamp.random)
    if (Buffer.compare(this.#tag(place, stamp.random, plain), stamp.tag) === 0) return plain
    return crcFault(stamp, stored) ?? { kind: 'forged', cause: "not written with this volume's key" }
  }

  #tag({ owner, hint, index, flags, stored }: BlockPlace, random: Uint8Array, plain: Uint8Array): Uint8Array {
    const message = new Uint8Array(45)
    const view = new DataView(message.buffer)
    view.setBigUint64(0, owner, true)
    view.setUint32(8, hint, true)
    view.setBigUint64(12, BigInt(index), true)
    view.setUint16(20, flags & ~UNWRITTEN, true)
    view.setUint16(22, stored, true)
    message.set(random, 24)
    view.setUint32(40, crc32c(plain), true)
    const tag = new Uint8Array(16)
    for (const half of [0, 1]) {
      message[44] = half
      new DataView(tag.buffer).setBigUint64(half * 8, siphash24(this.#key, message), true)
    }
    return tag
  }
}

export const XOR: CodecMaker = {
  descriptorSize: DESCRIPTOR_SIZE,
  make: superblock => new XorCodec(superblock.hash_key),
}

/** The codec that a test program was told to use; none: blocks are plain. */
export function codecNamed(name: string | undefined): CodecMaker | undefined {
  if (name === undefined || name === '') return undefined
  if (name !== 'xor') throw new Error(`no codec ${name}`)
  return XOR
}
