/** What mkfs prints: the whole layout. */
import { printableBytes, uuidText } from '../src/base/bytes.ts'
import type { JsonObject } from '../src/console/json.ts'
import { formatCount } from '../src/console/size.ts'
import { keyValues } from '../src/console/table.ts'
import { constant, flagNames } from '../src/format/constants.ts'
import { copyPages, dataBlocks, type Geometry, regionStart } from '../src/format/geometry.ts'
import { BLOCK_SIZE, REGIONS } from '../src/format/layout.ts'
import type { MadeVolume } from './make.ts'

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

const FEATURES = flagNames('INCOMPAT', 1n).map(name => name.toLowerCase())

export function summaryText(made: MadeVolume, isDryRun: boolean, size: (bytes: number) => string): string {
  const { geometry: g, identity } = made
  const { cortex, stash } = slotCounts(g)
  const parts = partsOf(g).map(({ name, start, blocks }) => {
    const range = `blocks ${start} to ${start + blocks - 1}`
    return [name, `${range}, ${size(blocks * BLOCK_SIZE)}`] as const
  })
  const metadata = (g.copyB === 0 ? 1 : 2) * copyPages(g) + g.logBlocks
  return keyValues([
    ['Image', isDryRun ? `${made.path} (dry run: nothing is written)` : made.path],
    ['Label', printableBytes(identity.label) || '(none)'],
    ['UUID', uuidText(identity.uuid)],
    ['Block size', String(BLOCK_SIZE)],
    ['Size', `${size(g.blockCount * BLOCK_SIZE)} (${formatCount(g.blockCount)} blocks)`],
    ['Data', `${size(dataBlocks(g) * BLOCK_SIZE)}, of it overwrite area ${size(g.areaBlocks * BLOCK_SIZE)}`],
    ['Metadata', `${g.copyB === 0 ? 'single' : 'dup'}, with log ${size(metadata * BLOCK_SIZE)}`],
    ['Reserve', size(g.reserveBlocks * BLOCK_SIZE)],
    ['Cortex slots', `${formatCount(cortex)} (files; fixed for life)`],
    ['Stash slots', formatCount(stash)],
    ['Stride, scale', `${g.stride}, ${g.scale}`],
    ['Checksum', 'crc32c'],
    ['Cipher', 'none'],
    ['Features', FEATURES.join(' ')],
    ...parts,
  ])
}

export function summaryJson(made: MadeVolume, isDryRun: boolean): JsonObject {
  const { geometry: g, identity } = made
  const { cortex, stash } = slotCounts(g)
  return {
    image: made.path,
    dry_run: isDryRun,
    label: printableBytes(identity.label),
    uuid: uuidText(identity.uuid),
    block_size: BLOCK_SIZE,
    size_bytes: g.blockCount * BLOCK_SIZE,
    block_count: g.blockCount,
    metadata_copies: g.copyB === 0 ? 1 : 2,
    window_blocks: g.windowBlocks,
    area_blocks: g.areaBlocks,
    reserve_blocks: g.reserveBlocks,
    cortex_slots: cortex,
    stash_slots: stash,
    stride: g.stride,
    scale: g.scale,
    checksum: 'crc32c',
    cipher: null,
    features: FEATURES,
    parts: partsOf(g).map(({ name, start, blocks }) => ({ name, start_block: start, blocks })),
  }
}
