/** Checkpoint blocks: where replay starts (docs/format.md section 7). */
import { equalBytes, isZero } from '../base/bytes.ts'
import { Hn4Error, orNull } from '../base/error.ts'
import { type Decoded, decode, encode, offsetOf } from './codec.ts'
import { constant, flag, knownBits } from './constants.ts'
import { type CounterFields, countersProblem } from './counters.ts'
import { crc32c } from './crc32c.ts'
import { type Geometry, ringBlocks } from './geometry.ts'
import { BLOCK_SIZE, CHECKPOINT } from './layout.ts'

export type CheckpointFields = Decoded<typeof CHECKPOINT>

const CRC_AT = offsetOf(CHECKPOINT, 'crc')

const GENERATION_END = 2n ** 60n
/** Transactions stay below this, so that a descriptor's 48 bits hold them. */
export const TXN_END = 2n ** 48n

/** Why `block` is not a checkpoint block of the volume in `slot` (0 or 1); null if it is one. */
export function checkpointProblem(block: Uint8Array, slot: number, salt: Uint8Array, g: Geometry): string | null {
  const view = new DataView(block.buffer, block.byteOffset)
  if (view.getUint32(0, true) !== constant('CHECKPOINT_MAGIC')) return isZero(block) ? 'empty' : 'no magic'
  if (crc32c(block.subarray(0, CRC_AT)) !== view.getUint32(CRC_AT, true)) return 'checksum'
  let fields: CheckpointFields
  try {
    fields = decode(CHECKPOINT, block)
  } catch (error) {
    if (error instanceof Hn4Error) return error.message
    throw error
  }
  if (!equalBytes(fields.salt, salt)) return 'checkpoint of another volume'
  if (Number(fields.generation % BigInt(constant('CHECKPOINT_SLOTS'))) !== slot) return 'checkpoint of the other slot'
  return numbersProblem(fields, g) ?? countersProblem(fields satisfies CounterFields, g)
}

/** The rules for the numbers of a checkpoint block among themselves. */
function numbersProblem(f: CheckpointFields, g: Geometry): string | null {
  const inside = (value: bigint, low: bigint, end: bigint): boolean => value >= low && value < end
  const isRunning = f.tail_txn >= f.epoch_txn
  const isClean = (f.flags & flag('CHECKPOINT', 'CLEAN')) !== 0
  const rules: readonly (readonly [boolean, string])[] = [
    [(BigInt(f.flags) & ~knownBits('CHECKPOINT')) === 0n, `unknown flags ${f.flags}`],
    [inside(f.generation, 1n, GENERATION_END), `generation ${f.generation}`],
    [inside(f.epoch, 1n, GENERATION_END), `epoch ${f.epoch}`],
    [inside(f.epoch_txn, 2n, TXN_END - 1n), `epoch_txn ${f.epoch_txn}`],
    [inside(f.tail_txn, 2n, TXN_END - 1n), `tail_txn ${f.tail_txn}`],
    [f.tail < BigInt(ringBlocks(g)), `tail ${f.tail} outside the log`],
    [isRunning ? f.tail_epoch === f.epoch : inside(f.tail_epoch, 1n, f.epoch), `tail_epoch ${f.tail_epoch}`],
    [f.proven_txn + 1n >= f.tail_txn && f.proven_txn + 1n >= f.epoch_txn, `proven_txn ${f.proven_txn}`],
    [!isClean || (isRunning && f.proven_txn + 1n === f.tail_txn), 'CLEAN, but the tail is not behind what is proven'],
  ]
  return rules.find(([holds]) => !holds)?.[1] ?? null
}

/** What a block says of itself whose checksum is wrong; null if not even its magic is right. */
export function checkpointHead(block: Uint8Array): Pick<CheckpointFields, 'salt' | 'generation'> | null {
  const magic = new DataView(block.buffer, block.byteOffset).getUint32(0, true)
  if (magic !== constant('CHECKPOINT_MAGIC')) return null
  return orNull(() => decode(CHECKPOINT, block))
}

export function decodeCheckpoint(block: Uint8Array): CheckpointFields {
  return decode(CHECKPOINT, block)
}

/** Encodes with its checksum. */
export function encodeCheckpoint(fields: CheckpointFields): Uint8Array {
  const block = new Uint8Array(BLOCK_SIZE)
  encode(CHECKPOINT, fields, block)
  new DataView(block.buffer).setUint32(CRC_AT, crc32c(block.subarray(0, CRC_AT)), true)
  return block
}
