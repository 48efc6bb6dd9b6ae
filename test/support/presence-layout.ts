/** Presence root and nodes of a list of data blocks. */
import { changeBits } from '../../src/format/page.ts'
import { NODE_BITS, nodeIndex } from '../../src/format/presence.ts'

export function layoutPresence(
  indices: readonly number[],
  height: number,
): { root: bigint; nodes: { index: number; bytes: Uint8Array }[] } {
  let bits = [...indices]
  const nodes: { index: number; bytes: Uint8Array }[] = []
  for (let level = 1; level <= height; level++) {
    const byNode = new Map<number, Uint8Array>()
    for (const bit of bits) {
      const node = Math.floor(bit / NODE_BITS)
      const bytes = byNode.get(node) ?? new Uint8Array(4096)
      changeBits(bytes, bit % NODE_BITS, (bit % NODE_BITS) + 1, true)
      byNode.set(node, bytes)
    }
    for (const [node, bytes] of byNode) nodes.push({ index: nodeIndex(level, node), bytes })
    bits = [...byNode.keys()]
  }
  return { root: bits.reduce((root, bit) => root | (1n << BigInt(bit)), 0n), nodes }
}
