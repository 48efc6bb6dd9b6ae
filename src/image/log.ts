/** hn4 log: the transactions that a mount would replay, readably. */
import type { Command } from '../console/command.ts'
import type { Context } from '../console/context.ts'
import type { JsonObject } from '../console/json.ts'
import { keyValues } from '../console/table.ts'
import { flagNames } from '../format/constants.ts'
import type { LogItem } from '../format/log-item.ts'
import { isEmptySlot, slotNumber } from '../format/slot.ts'
import type { Transaction } from '../reader/log.ts'
import { withTarget } from './target.ts'
import { numberJson, timeText } from './text.ts'

const range = (first: number, count: number): string =>
  count === 1 ? String(first) : `${first} to ${first + count - 1}`

function itemText(item: LogItem): string {
  switch (item.kind) {
    case 'SLOT':
    case 'SLOT_CLEAR': {
      const place = `${item.region.toLowerCase()} page ${item.page}, slot ${item.slot}`
      return item.kind === 'SLOT' && !isEmptySlot(item.bytes)
        ? `slot: file ${slotNumber(item.bytes, 0)} at ${place}`
        : `slot becomes empty: ${place}`
    }
    case 'DESCRIPTORS': {
      const flags = flagNames('DESCRIPTOR', BigInt(item.flags)).map(name => name.toLowerCase())
      const copy = item.flags & 15 ? [`copy ${item.flags & 15}`] : []
      const extra = [...flags, ...copy].join(', ')
      return `data ${range(item.data, item.count)}: file ${item.owner}, blocks ${range(item.index, item.count)}${extra && ` (${extra})`}`
    }
    case 'BLOCKS_FREE':
      return `data ${range(item.first, item.count)}: free`
    case 'UNITS_FREE':
      return `extension units ${range(item.first, item.count)}: free`
    case 'UNIT':
      return `extension unit ${item.unit}: written`
    case 'BIRTH':
      return `pages ${range(item.first, item.count)} of the copy: written for the first time`
    case 'PAGE':
      return `page ${item.page} of the copy: whole`
  }
}

function itemJson(item: LogItem): JsonObject {
  const kind = item.kind.toLowerCase()
  switch (item.kind) {
    case 'SLOT':
    case 'SLOT_CLEAR':
      return {
        kind,
        region: item.region.toLowerCase(),
        page: item.page,
        slot: item.slot,
        number: item.kind === 'SLOT' ? numberJson(slotNumber(item.bytes, 0)) : undefined,
      }
    case 'DESCRIPTORS':
      return {
        kind,
        data: item.data,
        count: item.count,
        owner: numberJson(item.owner),
        index: item.index,
        flags: item.flags,
      }
    case 'UNIT':
      return { kind, unit: item.unit }
    case 'PAGE':
      return { kind, page: item.page }
    default:
      return { kind, first: item.first, count: item.count }
  }
}

function transactionJson({ fields, at, items }: Transaction, exists: boolean): JsonObject {
  return {
    transaction: fields.txn,
    epoch: fields.epoch,
    log_block: at,
    blocks: fields.blocks,
    length_bytes: fields.length,
    time_ns: String(fields.time),
    exists,
    live_blocks: Number(fields.live_blocks),
    files: Number(fields.files),
    units: Number(fields.units),
    items: items.map(itemJson),
  }
}

function log(ctx: Context): number {
  return withTarget(ctx, ctx.arg(0), (volume, _, damage) => {
    const { core } = volume
    const { checkpoint, transactions } = core.log
    const isDropped = (transaction: Transaction): boolean => transaction === core.dropped?.transaction
    if (ctx.isJson) {
      ctx.json({
        clean: flagNames('CHECKPOINT', BigInt(checkpoint.flags)).includes('CLEAN'),
        epoch: checkpoint.epoch,
        tail: Number(checkpoint.tail),
        tail_transaction: checkpoint.tail_txn,
        proven_transaction: checkpoint.proven_txn,
        transactions: transactions.map(transaction => transactionJson(transaction, !isDropped(transaction))),
        errors: damage.json,
      })
      return damage.exitCode
    }
    ctx.io.stdout.write(
      keyValues([
        [
          'Checkpoint',
          `generation ${checkpoint.generation}, epoch ${checkpoint.epoch}${checkpoint.flags & 1 ? ', clean' : ''}`,
        ],
        ['Tail', `log block ${checkpoint.tail}, transaction ${checkpoint.tail_txn}`],
        ['Proven', `up to transaction ${checkpoint.proven_txn}`],
        ['To replay', `${core.transactions.length} transactions`],
      ]),
    )
    for (const transaction of transactions) {
      const { fields, at, items } = transaction
      const state = isDropped(transaction) ? ' NOT PROVEN, left out' : ''
      ctx.result(
        `\nTransaction ${fields.txn}: ${timeText(fields.time)}, log blocks ${range(at, fields.blocks)}, ${items.length} items${state}`,
      )
      for (const item of items) ctx.result(`  ${itemText(item)}`)
    }
    return damage.exitCode
  })
}

export const logCommand: Command = {
  name: 'log',
  summary: "show the transactions in a volume's log",
  exits: 'fsck',
  arguments: [{ name: 'IMAGE', summary: 'file or block device' }],
  examples: [
    { line: 'hn4 log disk.img', meaning: 'what the next mount replays' },
    { line: 'hn4 log disk.img | less', meaning: 'page by page' },
    { line: 'hn4 log --json disk.img', meaning: 'for a program' },
  ],
  run: log,
}
