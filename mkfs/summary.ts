/** What mkfs prints: the whole layout. */
import { uuidText } from '../src/base/bytes.ts'
import { printableBytes } from '../src/base/printable.ts'
import type { JsonObject } from '../src/console/json.ts'
import { formatCount } from '../src/console/size.ts'
import { keyValues } from '../src/console/table.ts'
import { flagNames } from '../src/format/constants.ts'
import { copyPages, dataBlocks } from '../src/format/geometry.ts'
import { BLOCK_SIZE } from '../src/format/layout.ts'
import { partsOf, slotCounts } from '../src/format/parts.ts'
import type { MadeVolume } from './make.ts'

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
    ['Root directory', `of uid ${made.rootOwner.uid}, gid ${made.rootOwner.gid}`],
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
    size_bytes: BigInt(g.blockCount) * BigInt(BLOCK_SIZE),
    block_count: g.blockCount,
    metadata_copies: g.copyB === 0 ? 1 : 2,
    window_blocks: g.windowBlocks,
    area_blocks: g.areaBlocks,
    reserve_blocks: g.reserveBlocks,
    cortex_slots: cortex,
    stash_slots: stash,
    stride: g.stride,
    scale: g.scale,
    root_uid: made.rootOwner.uid,
    root_gid: made.rootOwner.gid,
    checksum: 'crc32c',
    cipher: null,
    features: FEATURES,
    parts: partsOf(g).map(({ name, start, blocks }) => ({ name, start_block: start, blocks })),
  }
}
