/** The checkpoint blocks of built volumes: all of epoch 2, whose first transaction is 2. */
import { encodeCheckpoint } from '../../src/format/checkpoint.ts'
import { constant, flag } from '../../src/format/constants.ts'

export interface CheckpointAt {
  readonly generation: bigint
  readonly salt: Uint8Array
  readonly tail: number
  readonly tailTxn: bigint
  readonly proven: bigint
  readonly crc: number
  readonly clean?: boolean
}

export interface BuiltCounters {
  readonly nextNumber: number
  readonly live: number
  readonly files: number
  readonly units: number
}

export function builtCheckpoint(at: CheckpointAt, counters: BuiltCounters): Uint8Array {
  return encodeCheckpoint({
    magic: constant('CHECKPOINT_MAGIC'),
    flags: at.clean ? flag('CHECKPOINT', 'CLEAN') : 0,
    generation: at.generation,
    salt: at.salt,
    epoch: 2n,
    epoch_txn: 2n,
    tail: BigInt(at.tail),
    tail_txn: at.tailTxn,
    tail_crc: at.crc,
    proven_txn: at.proven,
    next_number: BigInt(counters.nextNumber),
    live_blocks: BigInt(counters.live),
    files: BigInt(counters.files),
    units: BigInt(counters.units),
    tail_epoch: 2n,
    crc: 0,
  })
}
