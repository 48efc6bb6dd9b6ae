/** Presence: which blocks of a SPARSE file exist (docs/format.md section 4). */
import { constant } from './constants.ts'

/** Bits of a node: 32768. */
export const NODE_BITS = constant('PRESENCE_BITS')
export const ROOT_BITS = constant('PRESENCE_ROOT_BITS')

/** Logical index of node `node` of `level` (1 to 3). */
export function nodeIndex(level: number, node: number): number {
  const base = [constant('PRESENCE_1'), constant('PRESENCE_2'), constant('PRESENCE_3')][level - 1]
  if (base === undefined) throw new RangeError(`presence level ${level}`)
  return base + node
}

/** Level and node of a logical index from 2^47 up; null for a data block or an index behind the last level. */
export function nodeOfIndex(index: number): { level: number; node: number } | null {
  for (const level of [3, 2, 1]) {
    const base = nodeIndex(level, 0)
    if (index >= base) return { level, node: index - base }
  }
  return null
}

/** Data blocks that one bit of the root stands for. */
export function rootSpan(height: number): number {
  return NODE_BITS ** height
}

/** Bit `bit` of the root. */
export function rootBit(root: bigint, bit: number): boolean {
  return ((root >> BigInt(bit)) & 1n) === 1n
}
