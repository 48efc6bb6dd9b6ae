/** hn4 blocks: for every block of a file, which equation leads to it and where it is. */
import { Hn4Error } from '../base/error.ts'
import type { Command } from '../console/command.ts'
import type { Context } from '../console/context.ts'
import type { JsonObject } from '../console/json.ts'
import { columns, keyValues } from '../console/table.ts'
import { isUnwritten } from '../format/descriptor.ts'
import { nodeIndex } from '../format/presence.ts'
import type { Located } from '../reader/cortex.ts'
import type { FileBlocks, FoundBlock } from '../reader/file-blocks.ts'
import { Presence } from '../reader/presence.ts'
import type { Volume } from '../reader/volume.ts'
import type { DamageReport } from './damage.ts'
import { findTyped, withTarget } from './target.ts'

/** Blocks that follow each other in the file and on the device by the same equation. */
interface Run {
  readonly index: number
  readonly copy: number
  readonly via: FoundBlock['via']
  readonly shell: number
  readonly segment: FoundBlock['segment']
  readonly block: number
  readonly unwritten: boolean
  count: number
}

/** (index, copy) of every block the file must have, in order. */
function* blocksOf(file: Located, blocks: FileBlocks): Generator<readonly [index: number, copy: number]> {
  const { slot } = file
  const copies = slot.type === 'directory' && blocks.gravity(1) !== null ? [0, 1] : [0]
  if (!slot.has('SPARSE')) {
    for (const copy of copies) for (let index = 0; index < slot.contentBlocks; index++) yield [index, copy]
    return
  }
  if (slot.attributes.blocks === 0) return
  const presence = new Presence(blocks)
  for (const run of presence.runs()) for (let index = run.start; index < run.end; index++) yield [index, 0]
  for (const copy of blocks.gravity(1) === null ? [0] : [0, 1]) {
    for (const { level, node } of presence.nodes()) yield [nodeIndex(level, node), copy]
  }
}

function* runsOf(volume: Volume, file: Located, damage: DamageReport, isSingle: boolean): Generator<Run> {
  const blocks = volume.blocks(file)
  const lost = new LostBlocks(file.slot.number, damage)
  let open: Run | null = null
  for (const [index, copy] of blocksOf(file, blocks)) {
    const found = findOrReport(blocks, index, copy, lost, damage)
    if (found === null) continue
    const { via, shell, segment, block } = found
    const unwritten = isUnwritten(found.descriptor)
    const follows =
      open !== null &&
      !isSingle &&
      open.copy === copy &&
      open.via === via &&
      open.shell === shell &&
      open.segment === segment &&
      open.unwritten === unwritten &&
      open.index + open.count === index &&
      open.block + open.count === block
    if (open !== null && follows) open.count++
    else {
      if (open !== null) yield open
      open = { index, copy, via, shell, segment, block, unwritten, count: 1 }
    }
  }
  lost.flush()
  if (open !== null) yield open
}

/** Lost neighbours are reported together: a lost page of descriptors hides all that stood in it. */
class LostBlocks {
  readonly #number: number
  readonly #damage: DamageReport
  #run: { index: number; copy: number; count: number } | null = null

  constructor(number: number, damage: DamageReport) {
    this.#number = number
    this.#damage = damage
  }

  add(index: number, copy: number): void {
    const run = this.#run
    if (run !== null && run.copy === copy && run.index + run.count === index) run.count++
    else {
      this.flush()
      this.#run = { index, copy, count: 1 }
    }
  }

  flush(): void {
    if (this.#run === null) return
    const { index, copy, count } = this.#run
    this.#run = null
    const text = `file {number}: block ${range(index, count)}${copy > 0 ? ' (second copy)' : ''}: no live descriptor of a candidate names it`
    this.#damage.add(new Hn4Error('BLOCK_LOST', { number: this.#number, text }))
  }
}

function findOrReport(
  blocks: FileBlocks,
  index: number,
  copy: number,
  lost: LostBlocks,
  damage: DamageReport,
): FoundBlock | null {
  try {
    const found = blocks.find(index, copy)
    if (found === null) lost.add(index, copy)
    return found
  } catch (error) {
    damage.add(error)
    return null
  }
}

function equationText(run: Run): string {
  if (run.via === 'area') return 'overwrite area'
  const origin = run.segment ? `segment at ${run.segment.first}, G ${run.segment.gravity}` : 'anchor'
  return `${origin}, shell ${run.shell}`
}

const range = (first: number, count: number): string =>
  count === 1 ? String(first) : `${first} to ${first + count - 1}`

function runJson(run: Run): JsonObject {
  const { segment } = run
  return {
    index: run.index,
    count: run.count,
    copy: run.copy,
    equation: run.via,
    shell: run.via === 'area' ? null : run.shell,
    segment: segment ? { first: segment.first, length: segment.length, gravity: segment.gravity } : null,
    block: run.block,
    unwritten: run.unwritten,
  }
}

function blocks(ctx: Context): number {
  return withTarget(ctx, ctx.arg(0), (volume, { path }, damage) => {
    const file = findTyped(volume, path)
    const { slot } = file
    const { anchor } = slot
    const isOwner = anchor.gravity_center !== 0n
    const phi = isOwner ? volume.core.window.phi(anchor.fractal_scale) : null
    const runs = isOwner ? [...runsOf(volume, file, damage, ctx.options.flag('each'))] : []
    if (ctx.isJson) {
      const equation = {
        gravity: Number(anchor.gravity_center),
        stride: anchor.orbit_vector,
        scale: anchor.fractal_scale,
        clusters: phi,
        highest_shell: slot.kmax,
      }
      ctx.json({
        path,
        number: slot.number,
        size_bytes: anchor.mass,
        blocks: slot.attributes.blocks,
        inline: slot.has('INLINE'),
        equation,
        runs: runs.map(runJson),
        errors: damage.json,
      })
      return damage.exitCode
    }
    const where = slot.has('INLINE') ? 'content in the anchor' : 'no block'
    const equation = `G = ${anchor.gravity_center}, V = ${anchor.orbit_vector}, M = ${anchor.fractal_scale}, phi = ${phi}`
    ctx.io.stdout.write(
      keyValues([
        ['File', path],
        ['Size', `${anchor.mass} bytes, ${slot.attributes.blocks} blocks`],
        ['Equation', isOwner ? equation : where],
      ]),
    )
    if (runs.length === 0) return damage.exitCode
    const rows = runs.map(run => [
      range(run.index, run.count),
      String(run.copy),
      equationText(run) + (run.unwritten ? ', unwritten' : ''),
      range(run.block, run.count),
    ])
    ctx.io.stdout.write(`\n${columns(['>logical', '>copy', 'equation', '>block of the volume'], rows)}`)
    return damage.exitCode
  })
}

export const blocksCommand: Command = {
  name: 'blocks',
  summary: 'show where the blocks of a file are and which equation leads there',
  description: [
    'Neighbours by the same equation are one line. A block is found in the overwrite area, else by the segment that covers it, else by the anchor; ' +
      'logical numbers from 2^47 up are presence nodes of a sparse file.',
  ],
  exits: 'fsck',
  arguments: [{ name: 'IMAGE:/PATH', summary: 'file inside the volume' }],
  options: [{ name: 'each', kind: 'flag', summary: 'one line for each block' }],
  examples: [
    { line: 'hn4 blocks disk.img:/video.mp4', meaning: 'its runs' },
    { line: 'hn4 blocks --each disk.img:/a', meaning: 'block by block' },
    { line: 'hn4 blocks --json disk.img:/a', meaning: 'for a program' },
  ],
  run: blocks,
}
