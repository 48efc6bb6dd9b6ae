/** Pass: checkpoint blocks and log. That the log can be replayed was seen when the volume was opened. */
import type { Check, Pass, Step } from '../check.ts'

async function run(check: Check, step: Step): Promise<void> {
  const { log, dropped } = check.volume.core
  const { generation } = log.checkpoint
  for (const { slot, place, block, problem, fields } of log.checkpoints) {
    step.add(1)
    // The slot that was not written yet stays empty; else both places of a slot hold the same generation.
    const isFirst = generation === 1n && slot === 0
    if (problem !== null && !(isFirst && problem === 'empty')) {
      check.add('CHECKPOINT', `checkpoint ${slot} at the ${place}: ${problem}`, { block })
    }
    const other = log.checkpoints.find(copy => copy.slot === slot && copy.place !== place)
    if (fields && other?.fields && other.fields.generation > fields.generation) {
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
