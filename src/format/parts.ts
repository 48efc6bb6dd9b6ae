/** The parts of a volume as a list, for people. */
import { constant } from './constants.ts'
import { type Geometry, regionStart } from './geometry.ts'
import { REGIONS } from './layout.ts'

export interface Part {
  readonly name: string
  readonly start: number
  readonly blocks: number
}

/** The parts of a volume in their order on the device. */
export function partsOf(g: Geometry): Part[] {
  const copy = (name: string, start: number): Part[] =>
    REGIONS.map(([region]) => ({
      name: `copy ${name}: ${region.toLowerCase()}`,
      start: start + regionStart(g, region),
      blocks: g.pages[region],
    }))
  return [
    { name: 'superblocks', start: 0, blocks: 2 },
    { name: 'log', start: g.logStart, blocks: g.logBlocks },
    ...copy('A', g.copyA),
    { name: 'window', start: g.windowStart, blocks: g.windowBlocks },
    { name: 'overwrite area', start: g.windowStart + g.windowBlocks, blocks: g.areaBlocks },
    ...(g.copyB === 0 ? [] : copy('B', g.copyB)),
    { name: 'checkpoint blocks', start: g.blockCount - 4, blocks: 2 },
    { name: 'superblocks', start: g.blockCount - 2, blocks: 2 },
  ]
}

/** Anchors that fit: cortex and stash. */
export function slotCounts(g: Geometry): { cortex: number; stash: number } {
  const perPage = constant('SLOTS_PER_PAGE')
  return { cortex: g.pages.CORTEX * perPage, stash: g.pages.STASH * perPage }
}
