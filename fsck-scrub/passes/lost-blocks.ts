/** Which blocks of a file are nowhere: every block it must have is looked for. */
import { Hn4Error } from '../../src/base/error.ts'
import { nodeIndex } from '../../src/format/presence.ts'
import { findAnchor } from '../../src/reader/cortex.ts'
import { FileBlocks } from '../../src/reader/file-blocks.ts'
import { Presence } from '../../src/reader/presence.ts'
import type { Check, FileRecord } from '../check.ts'
import { byteRange } from '../finding.ts'

/** Lost runs reported of one file; what is beyond shows in the count of its blocks. */
const RUNS_MAX = 100

/** (index, copy) of every block that must exist. @throws Hn4Error if presence cannot be read */
function* expected(blocks: FileBlocks): Generator<readonly [index: number, copy: number]> {
  const { slot } = blocks
  const metaCopies = blocks.gravity(1) === null ? [0] : [0, 1]
  if (slot.type === 'directory' || !slot.has('SPARSE')) {
    for (const copy of slot.type === 'directory' ? metaCopies : [0]) {
      for (let index = 0; index < slot.contentBlocks; index++) yield [index, copy]
    }
    return
  }
  if (slot.attributes.blocks === 0) return
  const presence = new Presence(blocks)
  for (const { level, node } of presence.nodes()) for (const copy of metaCopies) yield [nodeIndex(level, node), copy]
  for (const run of presence.runs()) for (let index = run.start; index < run.end; index++) yield [index, 0]
}

/** Reports the lost blocks of a file as byte ranges; false if all are there. */
export function findLost(check: Check, record: FileRecord): boolean {
  if (record.isLeaving) return false
  const place = check.placeOf(record.number, record.hint)
  let run: { copy: number; first: number; count: number } | null = null
  let runs = 0
  const flush = (): void => {
    if (run === null) return
    const { first, count, copy } = run
    run = null
    if (++runs > RUNS_MAX) return
    const range = count === 1 ? `block ${first} is` : `blocks ${first} to ${first + count - 1} are`
    const isData = record.type === 8 && first < 2 ** 47
    const bytes = isData ? byteRange(first, count, record.size) : {}
    check.add(
      'BLOCK_LOST',
      `file ${record.number}: ${range} lost${copy > 0 ? ' (second copy)' : ''}: no live descriptor names ${count === 1 ? 'it' : 'them'}`,
      { ...place, ...bytes },
    )
  }
  try {
    const blocks = new FileBlocks(
      check.volume.core,
      findAnchor(check.volume.core, record.number, record.hint).slot,
      () => check.volume.overwrites,
    )
    let looked = 0
    for (const [index, copy] of expected(blocks)) {
      // Presence may name more than the file says it owns, up to 2^47 blocks: that is one finding, not a search.
      if (++looked > record.blocks) {
        const said = `says it owns ${record.blocks} blocks, but its presence names more`
        check.add('BLOCK_COUNT', `file ${record.number}: ${said}`, place)
        runs++
        break
      }
      if (isThere(blocks, index, copy)) continue
      if (run !== null && run.copy === copy && run.first + run.count === index) run.count++
      else {
        flush()
        run = { copy, first: index, count: 1 }
      }
    }
    flush()
  } catch (error) {
    if (!(error instanceof Hn4Error)) throw error
    check.take(error, place)
    return true
  }
  return runs > 0
}

/** False also if the page of its descriptor is lost: then nothing can be read of it. */
function isThere(blocks: FileBlocks, index: number, copy: number): boolean {
  try {
    return blocks.find(index, copy) !== null
  } catch (error) {
    if (error instanceof Hn4Error && (error.code === 'PAGE' || error.code === 'BLOCK_DATA')) return false
    throw error
  }
}
