/** Changes metadata of an image as a bug would: their checksums stay right. */
import { blockNumber, copyPage } from '../../src/base/units.ts'
import { pageInCopy, type RegionName, regionNumber, regionOfPage } from '../../src/format/geometry.ts'
import { checksumPage, pageTransaction } from '../../src/format/page.ts'
import type { VolumeBuilder } from './builder.ts'

/** Applies `change` to the payload of a page, in both copies, with a new checksum. */
export function editPage(
  builder: VolumeBuilder,
  region: RegionName,
  page: number,
  change: (payload: Uint8Array) => void,
): void {
  const { image, geometry: g, identity } = builder
  const target = pageInCopy(g, region, page)
  for (const start of g.copyB === 0 ? [g.copyA] : [g.copyA, g.copyB]) {
    const block = image.block(start + target).slice()
    change(block)
    checksumPage(block, { region: regionNumber(region), page, salt: identity.salt }, pageTransaction(block))
    image.write(blockNumber(start + target), block)
  }
}

/** The blocks of a page in copies A and B. */
export function pageBlocks(builder: VolumeBuilder, region: RegionName, page: number): number[] {
  const { geometry: g } = builder
  const target = pageInCopy(g, region, page)
  return [g.copyA + target, g.copyB + target]
}

/** Region and page of the metadata page at block `block` of copy A. */
export function pageAt(builder: VolumeBuilder, block: number): { region: RegionName; page: number } {
  return regionOfPage(builder.geometry, copyPage(block - builder.geometry.copyA))
}
