/** One number for all bytes of a new volume, so that two programs that format can be compared by a vector. */
import { makeIdentity } from '../../mkfs/identity.ts'
import { writeVolume } from '../../mkfs/write-volume.ts'
import { fromHex, isZero } from '../../src/base/bytes.ts'
import { crc32c } from '../../src/format/crc32c.ts'
import { planGeometry } from '../../src/format/plan.ts'
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

/** CRC32C over every block that is not zero, each after its number (8 bytes), in ascending order. */
export function mkfsSum(c: MkfsCase): { nonzero_blocks: number; crc: number } {
  const image = new MemoryImage(c.blocks)
  const identity = makeIdentity({ label: c.label, seed: fromHex(c.seed)!, createdNs: c.created })
  const geometry = planGeometry(c.blocks, { copies: c.copies, stride: c.stride, scale: c.scale })
  writeVolume(image, geometry, identity, c.blocks)
  let crc = 0
  let count = 0
  for (const block of image.written) {
    const bytes = image.block(block)
    if (isZero(bytes)) continue
    const number = new Uint8Array(8)
    new DataView(number.buffer).setBigUint64(0, BigInt(block), true)
    crc = crc32c(bytes, crc32c(number, crc))
    count++
  }
  return { nonzero_blocks: count, crc }
}
