/**
 * The last transaction of the log, if nothing proves it: its record may be durable while its data is
 * not. It exists only if every block that it makes live reads as its checksum says (docs/format.md 7).
 */
import { isDamage } from '../base/error.ts'
import { type BlockNumber, dataNumber } from '../base/units.ts'
import type { BlockSource } from '../device/image.ts'
import type { CheckpointFields } from '../format/checkpoint.ts'
import { flag } from '../format/constants.ts'
import { crc32c } from '../format/crc32c.ts'
import { blockOfData, type Geometry } from '../format/geometry.ts'
import { BLOCK_SIZE } from '../format/layout.ts'
import type { DescriptorsItem } from '../format/log-item.ts'
import type { Transaction } from './log.ts'

const META = flag('DESCRIPTOR', 'META')
const UNWRITTEN = flag('DESCRIPTOR', 'UNWRITTEN')
const COPY_BITS = 15
/** Blocks read at once. */
const READ_BLOCKS = 256

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
  source: BlockSource,
  g: Geometry,
  checkpoint: CheckpointFields,
  last: Transaction,
): FailedBlock[] {
  if (last.fields.txn <= checkpoint.proven_txn) return []
  const failed: FailedBlock[] = []
  const good = new Set<string>()
  for (const item of last.items) {
    if (item.kind !== 'DESCRIPTORS' || (item.flags & UNWRITTEN) !== 0) continue
    verifyRun(source, g, item, failed, good)
  }
  // One good copy of a block of metadata is enough: the other is repaired from it.
  return failed.filter(f => !(f.isMeta && good.has(`${f.owner}:${f.index}`)))
}

function verifyRun(
  source: BlockSource,
  g: Geometry,
  item: DescriptorsItem,
  failed: FailedBlock[],
  good: Set<string>,
): void {
  const isMeta = (item.flags & META) !== 0
  const crcs = new DataView(item.crcs.buffer, item.crcs.byteOffset, item.crcs.length)
  for (let done = 0; done < item.count; done += READ_BLOCKS) {
    const count = Math.min(READ_BLOCKS, item.count - done)
    const first = blockOfData(g, dataNumber(item.data + done))
    const bytes = readOrNull(source, first, count)
    for (let i = 0; i < count; i++) {
      const index = item.index + done + i
      const content =
        bytes?.subarray(i * BLOCK_SIZE, (i + 1) * BLOCK_SIZE) ?? readOrNull(source, (first + i) as BlockNumber, 1)
      if (content && crc32c(content) === crcs.getUint32((done + i) * 4, true)) {
        if (isMeta) good.add(`${item.owner}:${index}`)
      } else
        failed.push({
          block: (first + i) as BlockNumber,
          owner: item.owner,
          index,
          copy: item.flags & COPY_BITS,
          isMeta,
        })
    }
  }
}

function readOrNull(source: BlockSource, first: BlockNumber, count: number): Uint8Array | null {
  try {
    return source.read(first, count)
  } catch (error) {
    if (isDamage(error) || isReadError(error)) return null
    throw error
  }
}

const isReadError = (error: unknown): boolean => error instanceof Error && (error as { code?: string }).code === 'IO'
