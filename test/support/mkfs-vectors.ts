/** What mkfs writes, as test/vectors/mkfs.json holds it for the tests of both languages. */
import { makeIdentity } from '../../mkfs/identity.ts'
import { writeVolume } from '../../mkfs/write-volume.ts'
import { fromHex } from '../../src/base/bytes.ts'
import { crc32c } from '../../src/format/crc32c.ts'
import { BLOCK_SIZE } from '../../src/format/layout.ts'
import { planGeometry } from '../../src/format/plan.ts'
import { MemoryImage } from './memory-image.ts'

export interface MkfsVector {
  readonly block_count: number
  readonly label: string
  readonly copies: 1 | 2
  /** 16 bytes, hexadecimal. */
  readonly seed: string
  readonly created_ns: string
  /** CRC32C of bytes 0 to 4091 of each block that is not zero. Over all 4096 it would be the same for any
   * block that ends in its own CRC. */
  readonly blocks: Readonly<Record<string, number>>
}

export function blocksOfMkfs(vector: Omit<MkfsVector, 'blocks'>): Record<string, number> {
  const seed = fromHex(vector.seed)
  if (seed === null) throw new Error(`not hexadecimal: ${vector.seed}`)
  const g = planGeometry(vector.block_count, { copies: vector.copies })
  const image = new MemoryImage(vector.block_count)
  const identity = makeIdentity({ label: vector.label, seed, createdNs: BigInt(vector.created_ns) })
  writeVolume(image, g, identity, vector.block_count)
  const blocks: Record<string, number> = {}
  for (const block of image.written) {
    const bytes = image.block(block)
    if (bytes.some(byte => byte !== 0)) blocks[block] = crc32c(bytes.subarray(0, BLOCK_SIZE - 4))
  }
  return blocks
}
