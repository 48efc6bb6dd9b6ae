/** Pass: checkpoint blocks and log. That the log can be replayed was seen when the volume was opened. */
import { equalBytes, isZero } from '../../src/base/bytes.ts'
import { Hn4Error } from '../../src/base/error.ts'
import { checkpointHead } from '../../src/format/checkpoint.ts'
import { constant } from '../../src/format/constants.ts'
import type { CheckpointCopy, Log } from '../../src/reader/log.ts'
import type { Volume } from '../../src/reader/volume.ts'
import type { Check, Pass, Step } from '../check.ts'

const SECTOR = 512
const LAST_SECTOR = 4096 - SECTOR
/** What an interrupted write replaced or wrote is at most this much older than the checkpoint in force. */
const AGE_MAX = 3n

/** The other place of a slot. */
function twinOf(log: Log, { slot, place }: CheckpointCopy): CheckpointCopy {
  return log.checkpoints.find(copy => copy.slot === slot && copy.place !== place)!
}

/**
 * True if a power cut during the write of a checkpoint block may have left this one: sectors of the block
 * written and of the one before it. The next write to the slot replaces it.
 */
function isTorn({ core }: Volume, copy: CheckpointCopy): boolean {
  const { source, log, superblocks } = core
  const block = source.read(copy.block)
  const head = checkpointHead(block)
  const twin = twinOf(log, copy)
  if (!isZero(block.subarray(SECTOR, LAST_SECTOR))) return false
  if (isZero(block.subarray(0, SECTOR))) return copy.slot === 0 && log.checkpoint.generation <= AGE_MAX
  if (head === null || !equalBytes(head.salt, superblocks.chosen.salt)) return false
  const newest = log.checkpoint.generation + 1n
  const isNear = head.generation <= newest && head.generation >= newest - 1n - AGE_MAX
  if (!isNear || Number(head.generation % BigInt(constant('CHECKPOINT_SLOTS'))) !== copy.slot) return false
  if (twin.fields?.generation !== head.generation) return true
  // Of the generation that the twin holds: then the CRC behind it is that of the older block.
  return equalBytes(source.read(twin.block).subarray(0, LAST_SECTOR), block.subarray(0, LAST_SECTOR))
}

function isReadableAndTorn(volume: Volume, copy: CheckpointCopy): boolean {
  try {
    return isTorn(volume, copy)
  } catch (error) {
    if (error instanceof Hn4Error) return false
    throw error
  }
}

async function run(check: Check, step: Step): Promise<void> {
  const { log, dropped } = check.volume.core
  const { generation } = log.checkpoint
  for (const copy of log.checkpoints) {
    const { slot, place, block, problem, fields } = copy
    step.add(1)
    // The slot that was not written yet stays empty; else both places of a slot hold the same generation.
    const isFirst = generation === 1n && slot === 0
    if (problem !== null && !(isFirst && problem === 'empty')) {
      const torn = isReadableAndTorn(check.volume, copy)
      const why = torn ? ', as a power cut during its write leaves it' : ''
      const message = `checkpoint ${slot} at the ${place}: ${problem}${why}`
      check.add('CHECKPOINT', message, { block }, torn ? 'warning' : 'error')
    }
    const other = twinOf(log, copy)
    if (fields && other.fields && other.fields.generation > fields.generation) {
      // A crash between the two writes leaves this too: the newer one counts.
      check.add(
        'CHECKPOINT',
        `checkpoint ${slot} at the ${place}: generation ${fields.generation}, the other place has ${other.fields.generation}`,
        { block },
        'warning',
      )
    }
  }
  step.add(log.transactions.length)
  if (!dropped) return
  const { transaction, failed } = dropped
  const message = `transaction ${transaction.fields.txn} was not proven: block ${failed[0]!.block} of file ${failed[0]!.owner} does not hold its data; the transaction does not exist`
  check.add('LOG_UNPROVEN', message, {}, 'warning')
}

export const logPass: Pass = { name: 'log', unit: 'items', run }
