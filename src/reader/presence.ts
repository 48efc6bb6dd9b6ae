/** Which data blocks of a SPARSE file exist (docs/format.md section 4). */

import { isZero } from '../base/bytes.ts'
import { Hn4Error } from '../base/error.ts'
import { constant } from '../format/constants.ts'
import { bitOf } from '../format/page.ts'
import { NODE_BITS, nodeIndex, ROOT_BITS, rootBit, rootSpan } from '../format/presence.ts'
import type { FileBlocks } from './file-blocks.ts'

/** Data blocks [start, end). */
export interface BlockRun {
  readonly start: number
  readonly end: number
}

export class Presence {
  readonly #blocks: FileBlocks
  readonly #height: number
  readonly #root: bigint
  readonly #nodes = new Map<number, Uint8Array>()

  constructor(blocks: FileBlocks) {
    this.#blocks = blocks
    const state = blocks.slot.fileState()
    this.#height = state.height
    this.#root = state.root
  }

  /** Node `node` of `level`, which must exist. @throws Hn4Error PRESENCE and the errors of reading a block */
  node(level: number, node: number): Uint8Array {
    const index = nodeIndex(level, node)
    let bytes = this.#nodes.get(index)
    if (!bytes) {
      bytes = this.#blocks.read(index)
      if (isZero(bytes))
        throw new Hn4Error('PRESENCE', { number: this.#blocks.slot.number, node: index, cause: 'a node without bits' })
      this.#nodes.set(index, bytes)
      if (this.#nodes.size > 64) this.#nodes.delete(this.#nodes.keys().next().value!)
    }
    return bytes
  }

  /** True if data block `index` exists. */
  has(index: number): boolean {
    const span = rootSpan(this.#height)
    const bit = Math.floor(index / span)
    if (bit >= ROOT_BITS || !rootBit(this.#root, bit)) return false
    for (let level = this.#height; level >= 1; level--) {
      const below = NODE_BITS ** (level - 1)
      const node = Math.floor(index / (below * NODE_BITS))
      if (!bitOf(this.node(level, node), Math.floor(index / below) % NODE_BITS)) return false
    }
    return true
  }

  /** The existing data blocks from `from` on, as runs in order. */
  *runs(from = 0, to: number = constant('FILE_BLOCKS_MAX')): Generator<BlockRun> {
    let open: { start: number; end: number } | null = null
    for (const run of this.#pieces(from, to)) {
      if (open && open.end === run.start) open.end = run.end
      else {
        if (open) yield open
        open = { ...run }
      }
    }
    if (open) yield open
  }

  *#pieces(from: number, to: number): Generator<BlockRun> {
    const span = rootSpan(this.#height)
    for (let bit = 0; bit < ROOT_BITS && bit * span < to; bit++) {
      if (!rootBit(this.#root, bit) || (bit + 1) * span <= from) continue
      if (this.#height === 0) yield { start: bit, end: bit + 1 }
      else yield* this.#inNode(this.#height, bit, from, to)
    }
  }

  *#inNode(level: number, node: number, from: number, to: number): Generator<BlockRun> {
    const bytes = this.node(level, node)
    const span = NODE_BITS ** (level - 1)
    const base = node * NODE_BITS
    // Bits before `from` and behind `to` are not looked at: a range of a huge file costs what it holds.
    const first = Math.max(0, Math.floor(from / span) - base)
    const end = Math.min(NODE_BITS, Math.ceil(to / span) - base)
    for (let bit = first; bit < end; bit++) {
      if (bytes[bit >> 3] === 0) {
        bit |= 7
        continue
      }
      if (!bitOf(bytes, bit)) continue
      if (level === 1) yield { start: base + bit, end: base + bit + 1 }
      else yield* this.#inNode(level - 1, base + bit, from, to)
    }
  }

  /** Every node that exists: level and number. */
  *nodes(): Generator<{ level: number; node: number }> {
    if (this.#height === 0) return
    const levels: { level: number; node: number }[] = []
    for (let bit = ROOT_BITS - 1; bit >= 0; bit--)
      if (rootBit(this.#root, bit)) levels.push({ level: this.#height, node: bit })
    for (;;) {
      const next = levels.pop()
      if (!next) return
      yield next
      if (next.level === 1) continue
      const bytes = this.node(next.level, next.node)
      for (let bit = NODE_BITS - 1; bit >= 0; bit--) {
        if (bitOf(bytes, bit)) levels.push({ level: next.level - 1, node: next.node * NODE_BITS + bit })
      }
    }
  }
}
