/** One number for all bytes of a new volume, so that two programs that format can be compared by a vector. */
import { makeIdentity } from '../../mkfs/identity.ts'
import { writeVolume } from '../../mkfs/write-volume.ts'
import { fromHex, isZero } from '../../src/base/bytes.ts'
import { planGeometry } from '../../src/format/plan.ts'
import { siphash24, sipKey } from '../../src/format/siphash.ts'
import { MemoryImage } from './memory-image.ts'

export interface MkfsCase {
  readonly blocks: number
  readonly copies: 1 | 2
  readonly seed: string
  readonly label: string
  readonly created: bigint
  readonly stride: number
  readonly scale: number
}

/**
 * SipHash of every block that is not zero, in ascending order, each under the hash of the one before and
 * its number as the key. Not CRC32C: of a block that ends with its own CRC, that says nothing about the content.
 */
export function mkfsSum(c: MkfsCase): { nonzero_blocks: number; siphash: string } {
  const image = new MemoryImage(c.blocks)
  const identity = makeIdentity({ label: c.label, seed: fromHex(c.seed)!, createdNs: c.created })
  const geometry = planGeometry(c.blocks, { copies: c.copies, stride: c.stride, scale: c.scale })
  writeVolume(image, geometry, identity, c.blocks)
  let sum = 0n
  let count = 0
  for (const block of image.written) {
    const bytes = image.block(block)
    if (isZero(bytes)) continue
    const key = new Uint8Array(16)
    new DataView(key.buffer).setBigUint64(0, sum, true)
    new DataView(key.buffer).setBigUint64(8, BigInt(block), true)
    sum = siphash24(sipKey(key), bytes)
    count++
  }
  return { nonzero_blocks: count, siphash: sum.toString() }
}
