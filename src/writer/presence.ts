/** Presence root and nodes of a list of data blocks (docs/format.md section 4). */
import { BLOCK_SIZE } from '../format/layout.ts'
import { changeBits } from '../format/page.ts'
import { NODE_BITS, nodeIndex } from '../format/presence.ts'

export interface PresenceTree {
  readonly root: bigint
  /** Logical index of a node and its block. */
  readonly nodes: readonly { readonly index: number; readonly bytes: Uint8Array }[]
}

/** The tree of `height` levels that says that the blocks `indices` exist, and no others. */
export function layoutPresence(indices: readonly number[], height: number): PresenceTree {
  let bits = [...indices]
  const nodes: { index: number; bytes: Uint8Array }[] = []
  for (let level = 1; level <= height; level++) {
    const byNode = new Map<number, Uint8Array>()
    for (const bit of bits) {
      const node = Math.floor(bit / NODE_BITS)
      const bytes = byNode.get(node) ?? new Uint8Array(BLOCK_SIZE)
      changeBits(bytes, bit % NODE_BITS, (bit % NODE_BITS) + 1, true)
      byNode.set(node, bytes)
    }
    for (const [node, bytes] of byNode) nodes.push({ index: nodeIndex(level, node), bytes })
    bits = [...byNode.keys()]
  }
  return { root: bits.reduce((root, bit) => root | (1n << BigInt(bit)), 0n), nodes }
}
