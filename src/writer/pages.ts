/** Metadata pages and checkpoint blocks, in every place where the volume keeps them. */
import { type BlockNumber, blockNumber } from '../base/units.ts'
import { type CheckpointFields, encodeCheckpoint } from '../format/checkpoint.ts'
import { constant } from '../format/constants.ts'
import { checkpointPlaces, type Geometry, pageInCopy, type RegionName, regionNumber } from '../format/geometry.ts'
import { encodePage, type Page } from '../format/page.ts'
import type { BlockWrite } from './sink.ts'

/** First blocks of the metadata copies that the volume has: A, or A and B. */
export function copyStarts(g: Geometry): readonly BlockNumber[] {
  return g.copyB === 0 ? [g.copyA] : [g.copyA, g.copyB]
}

/** Page `number` of `region`: once per copy. */
export function pageWrites(
  g: Geometry,
  salt: Uint8Array,
  region: RegionName,
  number: number,
  page: Page,
): BlockWrite[] {
  const bytes = encodePage({ region: regionNumber(region), page: number, salt }, page)
  const target = pageInCopy(g, region, number)
  return copyStarts(g).map(start => ({ block: blockNumber(start + target), bytes }))
}

/** A checkpoint block at the head and at the tail, in the slot that its generation names. */
export function checkpointWrites(g: Geometry, fields: Omit<CheckpointFields, 'magic' | 'crc'>): BlockWrite[] {
  const bytes = encodeCheckpoint({ ...fields, magic: constant('CHECKPOINT_MAGIC'), crc: 0 })
  const slot = Number(fields.generation % BigInt(constant('CHECKPOINT_SLOTS')))
  return checkpointPlaces(g, slot).map(block => ({ block, bytes }))
}
