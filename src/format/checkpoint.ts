/** Checkpoint blocks: where replay starts (docs/format.md section 7). */
import { equalBytes, isZero } from '../base/bytes.ts'
import { Hn4Error } from '../base/error.ts'
import { type Decoded, decode, encode, offsetOf } from './codec.ts'
import { constant } from './constants.ts'
import { crc32c } from './crc32c.ts'
import { BLOCK_SIZE, CHECKPOINT } from './layout.ts'

export type CheckpointFields = Decoded<typeof CHECKPOINT>

const CRC_AT = offsetOf(CHECKPOINT, 'crc')

/** Why `block` is not a checkpoint block of the volume in `slot` (0 or 1); null if it is one. `ring` is R. */
export function checkpointProblem(block: Uint8Array, slot: number, salt: Uint8Array, ring: number): string | null {
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
  if (fields.tail >= BigInt(ring)) return `tail ${fields.tail} outside the log`
  return null
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
