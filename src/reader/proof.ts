/**
 * The last transaction of the log, if nothing proves it: its record may be durable while its data is
 * not. It exists only if every block that it makes live reads as its stamp says (docs/format.md 7).
 */
import { type BlockNumber, dataNumber } from '../base/units.ts'
import type { CheckpointFields } from '../format/checkpoint.ts'
import { copyNumber, isMeta, isUnwritten } from '../format/descriptor.ts'
import { type DescriptorsItem, stampOf } from '../format/descriptors-item.ts'
import { blockOfData, type Geometry } from '../format/geometry.ts'
import type { BlockReader, PlacedBlock } from './blocks.ts'
import type { Transaction } from './log.ts'

/** A block of the transaction that does not hold what the record says. */
export interface FailedBlock {
  readonly block: BlockNumber
  readonly owner: bigint
  readonly index: number
  readonly copy: number
  readonly isMeta: boolean
}

/** The blocks that refute `last`; empty if it is proven, by the checkpoint or by its data. */
export function refutation(
  blocks: BlockReader,
  g: Geometry,
  checkpoint: CheckpointFields,
  last: Transaction,
): FailedBlock[] {
  if (last.fields.txn <= checkpoint.proven_txn) return []
  const failed: FailedBlock[] = []
  const good = new Set<string>()
  for (const item of last.items) {
    if (item.kind !== 'DESCRIPTORS' || isUnwritten(item)) continue
    for (const [{ block, descriptor: d }, content] of blocks.read(placedBlocks(item, g))) {
      if (content instanceof Uint8Array) {
        if (isMeta(d)) good.add(`${d.owner}:${d.index}`)
      } else if (content.code !== 'BLOCK_FORGED') {
        // A forged block was written whole: that it is forged says who reads it, the log does not end for it.
        failed.push({ block, owner: d.owner, index: d.index, copy: copyNumber(d), isMeta: isMeta(d) })
      }
    }
  }
  // One good copy of a block of metadata is enough: the other is repaired from it.
  return failed.filter(f => !(f.isMeta && good.has(`${f.owner}:${f.index}`)))
}

/** The blocks that an item places. */
function* placedBlocks(item: DescriptorsItem, g: Geometry): Generator<PlacedBlock> {
  const { owner, hint, flags, stored } = item
  for (let i = 0; i < item.count; i++) {
    const descriptor = { owner, hint, index: item.index + i, flags, stored, ...stampOf(item, i) }
    yield { block: blockOfData(g, dataNumber(item.data + i)), descriptor }
  }
}
