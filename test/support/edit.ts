/** Changes metadata of an image as a bug would: their checksums stay right. */
import { blockNumber, copyPage } from '../../src/base/units.ts'
import { pageInCopy, type RegionName, regionNumber, regionOfPage } from '../../src/format/geometry.ts'
import { decodePage, encodePage, type Page } from '../../src/format/page.ts'
import { copyStarts } from '../../src/writer/pages.ts'
import type { VolumeBuilder } from './builder.ts'

/** Applies `change` to the payload of a page, in both copies, with a new checksum. */
export function editPage(
  builder: VolumeBuilder,
  region: RegionName,
  page: number,
  change: (payload: Uint8Array) => void,
): void {
  for (const block of pageBlocks(builder, region, page)) {
    rewritePage(builder, block, ({ payload, txn }) => {
      change(payload)
      return { payload, txn }
    })
  }
}

/** Puts another page in the place of the one at `block`, which must verify; its payload may be changed. */
export function rewritePage(builder: VolumeBuilder, block: number, change: (page: Page) => Page): void {
  const { image, geometry: g, identity } = builder
  const { region, page } = regionOfPage(g, copyPage(block - (block >= g.windowStart ? g.copyB : g.copyA)))
  const place = { region: regionNumber(region), page, salt: identity.salt }
  const found = decodePage(place, image.block(block).slice())
  if (typeof found === 'string') throw new Error(`block ${block}: ${found}`)
  image.write(blockNumber(block), encodePage(place, change(found)))
}

/** The blocks of a page in copy A, and in copy B where there is one. */
export function pageBlocks(builder: VolumeBuilder, region: RegionName, page: number): number[] {
  const { geometry: g } = builder
  const target = pageInCopy(g, region, page)
  return copyStarts(g).map(start => start + target)
}

/** Region and page of the metadata page at block `block` of copy A. */
export function pageAt(builder: VolumeBuilder, block: number): { region: RegionName; page: number } {
  return regionOfPage(builder.geometry, copyPage(block - builder.geometry.copyA))
}
