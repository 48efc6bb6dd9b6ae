/** An older life of a page: valid, but without what was written last. */
import type { DataNumber } from '../../src/base/units.ts'
import { decode } from '../../src/format/codec.ts'
import { type DescriptorTable, descriptorOffset } from '../../src/format/descriptor.ts'
import { PAGE_PAYLOAD, PAGE_TRAILER } from '../../src/format/layout.ts'
import { checksumPage } from '../../src/format/page.ts'

/** The descriptor page `block` before the descriptor of `data` was written. */
export function encodeStale(table: DescriptorTable, block: Uint8Array, data: DataNumber): Uint8Array {
  const trailer = decode(PAGE_TRAILER, block, PAGE_PAYLOAD)
  const stale = block.slice()
  const at = descriptorOffset(table, data)
  stale.fill(0, at, at + table.descriptorSize)
  checksumPage(
    stale,
    { region: trailer.region, page: Number(trailer.page), salt: trailer.salt.slice() },
    trailer.txn - 1n,
  )
  return stale
}
