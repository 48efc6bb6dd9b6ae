/** hn4 info: every superblock and checkpoint copy, which one counts, geometry, log, counts. */
import { hex, uuidText } from '../base/bytes.ts'
import { Hn4Error } from '../base/error.ts'
import { printableBytes } from '../base/printable.ts'
import type { Command } from '../console/command.ts'
import type { Context } from '../console/context.ts'
import { EXIT } from '../console/exit-codes.ts'
import { failureLine, failureOf } from '../console/failure.ts'
import type { JsonObject } from '../console/json.ts'
import { counted, formatCount } from '../console/size.ts'
import { columns, keyValues } from '../console/table.ts'
import { ImageFile } from '../device/image.ts'
import { flagNames } from '../format/constants.ts'
import { dataBlocks } from '../format/geometry.ts'
import { partsOf, slotCounts } from '../format/parts.ts'
import { labelBytes, type SuperblockFields } from '../format/superblock.ts'
import { BEHIND_END, bestSuperblock, readSuperblockCopies, type SuperblockCopy } from '../reader/superblocks.ts'
import { Volume } from '../reader/volume.ts'
import { errorJson } from './damage.ts'
import { noteWriter, parseTarget } from './target.ts'
import { timeText } from './text.ts'

const features = (s: SuperblockFields): string[] =>
  [...flagNames('INCOMPAT', s.incompat), ...flagNames('COMPAT', s.compat)].map(name => name.toLowerCase())

/** `[match]`: valid and of the generation that counts. */
function verdict(copy: SuperblockCopy, generation: bigint | null): string {
  if (copy.problem === BEHIND_END) return `[MISSING] ${copy.problem}`
  if (copy.problem !== null) return `[MISMATCH] ${copy.problem}`
  return copy.fields?.generation === generation ? '[match]' : '[MISMATCH] an older generation'
}

function copiesText(copies: readonly SuperblockCopy[], chosen: SuperblockCopy | null): string {
  const generation = chosen?.fields?.generation ?? null
  const rows = copies.map(copy => [
    String(copy.position),
    String(copy.block),
    String(copy.fields?.generation ?? '-'),
    `${verdict(copy, generation)}${copy === chosen ? '  <- counts: valid, highest generation' : ''}`,
  ])
  return columns(['>superblock', '>block', '>generation', 'state'], rows)
}

function volumeText(volume: Volume, image: string, source: ImageFile, ctx: Context): string {
  const { core } = volume
  const { chosen } = core.superblocks
  const { geometry: g, counters } = core
  const { cortex, stash } = slotCounts(g)
  const size = (blocks: number): string => ctx.size(blocks * 4096)
  const used = Number(counters.liveBlocks)
  return keyValues([
    ['Image', image],
    ['Label', printableBytes(labelBytes(chosen)) || '(none)'],
    ['UUID', uuidText(chosen.uuid)],
    ['Format', `version ${chosen.format_version}, features ${features(chosen).join(' ') || 'none'}`],
    ['Created', timeText(chosen.created)],
    ['Size', `${size(g.blockCount)} (${formatCount(g.blockCount)} blocks of 4096 bytes)`],
    ...sizeRows(source, g.blockCount, ctx),
    ['Data', `${size(g.windowBlocks)} window, ${size(g.areaBlocks)} overwrite area`],
    ['Used', `${size(used)} (${formatCount(used)} live blocks)`],
    ['Files', `${formatCount(counters.files)} of ${formatCount(cortex + stash)} slots`],
    ['Extension units', `${formatCount(counters.units)} of ${formatCount(core.limits.units - 1)}`],
    ['Metadata copies', g.copyB === 0 ? '1' : '2'],
    ['Stride, scale', `${g.stride}, ${g.scale} for new files`],
    ['Log', logText(volume)],
    ['Last transaction', core.isLogWhole ? String(core.lastTxn) : 'unknown'],
  ])
}

/** What is to say of an image of another size than its volume. */
function sizeRows(source: ImageFile, blockCount: number, ctx: Context): (readonly [string, string])[] {
  const more = source.sizeBytes - blockCount * 4096
  if (more === 0) return []
  const text = more > 0 ? `${ctx.size(more)} more than the volume: not used` : `${ctx.size(-more)} less than the volume`
  return [['Image size', `${ctx.size(source.sizeBytes)}, ${text}`]]
}

function logText(volume: Volume): string {
  const { core } = volume
  if (core.missing.some(({ code }) => code === 'CHECKPOINT')) return 'unknown: no checkpoint block is left'
  if (core.isClean) return 'clean: nothing to replay'
  const dropped = core.dropped
    ? `; transaction ${core.dropped.transaction.fields.txn} was not proven and is left out`
    : ''
  return `${counted(core.transactions.length, 'transaction')} to replay (done in memory)${dropped}`
}

function checkpointsText(volume: Volume): string {
  const { log } = volume.core
  const rows = log.checkpoints.map(({ slot, place, block, problem, fields }) => {
    const counts = fields?.generation === log.checkpoint.generation
    return [
      `${slot} (${place})`,
      String(block),
      String(fields?.generation ?? '-'),
      problem ?? (counts ? '[match]  <- counts' : 'older'),
    ]
  })
  return columns(['checkpoint', '>block', '>generation', 'state'], rows)
}

function partsText(volume: Volume, ctx: Context): string {
  const rows = partsOf(volume.core.geometry).map(part => [
    part.name,
    String(part.start),
    String(part.blocks),
    ctx.size(part.blocks * 4096),
  ])
  return columns(['part', '>first block', '>blocks', '>size'], rows)
}

function copyJson(copy: SuperblockCopy, chosen: SuperblockCopy | null): JsonObject {
  const matches = copy.problem === null && copy.fields?.generation === chosen?.fields?.generation
  const { position, block, problem } = copy
  return { position, block, generation: copy.fields?.generation, matches, problem, counts: copy === chosen }
}

function volumeJson(volume: Volume, source: ImageFile): JsonObject {
  const { core } = volume
  const { chosen } = core.superblocks
  const { geometry: g, counters, log } = core
  return {
    label: printableBytes(labelBytes(chosen)),
    uuid: uuidText(chosen.uuid),
    format_version: chosen.format_version,
    features: features(chosen),
    created_ns: String(chosen.created),
    block_size: 4096,
    block_count: g.blockCount,
    image_size_bytes: BigInt(source.sizeBytes),
    data_blocks: dataBlocks(g),
    window_blocks: g.windowBlocks,
    area_blocks: g.areaBlocks,
    reserve_blocks: g.reserveBlocks,
    live_blocks: Number(counters.liveBlocks),
    files: Number(counters.files),
    slots: slotCounts(g).cortex + slotCounts(g).stash,
    units: Number(counters.units),
    next_number: Number(counters.nextNumber),
    metadata_copies: g.copyB === 0 ? 1 : 2,
    stride: g.stride,
    scale: g.scale,
    salt: hex(core.salt),
    last_transaction: core.isLogWhole ? core.lastTxn : null,
    log: {
      clean: core.isClean,
      epoch: log.checkpoint.epoch,
      tail: Number(log.checkpoint.tail),
      proven_transaction: log.checkpoint.proven_txn,
      transactions_to_replay: core.transactions.length,
      dropped_transaction: core.dropped?.transaction.fields.txn ?? null,
    },
    checkpoints: log.checkpoints.map(({ slot, place, block, problem, fields }) => {
      return { slot, place, block, generation: fields?.generation, problem }
    }),
    parts: partsOf(g).map(({ name, start, blocks }) => ({ name, start_block: start, blocks })),
  }
}

function info(ctx: Context): number {
  const { image } = parseTarget(ctx.arg(0))
  noteWriter(ctx, image)
  const source = new ImageFile(image)
  try {
    const copies = readSuperblockCopies(source)
    // The copies are shown even if the volume cannot be opened: that is when they matter.
    const [volume, errors] = openOrError(source)
    const chosen = bestSuperblock(copies) ?? null
    if (ctx.isQuiet && !ctx.isJson) {
      // Only whether it is a volume that can be read.
    } else if (ctx.isJson) {
      ctx.json({
        image,
        superblocks: copies.map(copy => copyJson(copy, chosen)),
        ...(volume ? volumeJson(volume, source) : {}),
        errors: errors.map(errorJson),
      })
    } else {
      if (volume) ctx.result(`${volumeText(volume, image, source, ctx)}`)
      ctx.io.stdout.write(copiesText(copies, chosen))
      if (volume) ctx.io.stdout.write(`\n${checkpointsText(volume)}\n${partsText(volume, ctx)}`)
    }
    let exit: number = EXIT.OK
    for (const error of errors) {
      const failure = failureOf(error, 'fsck')
      if (!ctx.isJson) ctx.io.stderr.write(`${failureLine(ctx.tool, failure)}\n`)
      exit |= failure.exit
    }
    return exit
  } finally {
    source.close()
  }
}

/** What is left of the volume, if anything, and what is missing. */
function openOrError(source: ImageFile): [Volume | null, Hn4Error[]] {
  const errors: Hn4Error[] = []
  try {
    return [new Volume(source, undefined, error => errors.push(error)), errors]
  } catch (error) {
    if (!(error instanceof Hn4Error)) throw error
    return [null, [...errors, error]]
  }
}

export const infoCommand: Command = {
  name: 'info',
  summary: 'show the superblocks, geometry, log and counts of a volume',
  description: [
    'Each of the four superblock copies is shown with [match], [MISMATCH], or [MISSING] where the image ends before it; the valid one of highest generation counts.',
    'With --quiet only the exit code says whether it is a volume that can be read.',
  ],
  exits: 'fsck',
  arguments: [{ name: 'IMAGE', summary: 'file or block device' }],
  examples: [
    { line: 'hn4 info disk.img', meaning: 'everything' },
    { line: 'hn4 info --raw disk.img', meaning: 'sizes in bytes' },
    { line: 'hn4 info --json /dev/sdb1', meaning: 'for a program' },
  ],
  run: info,
}
