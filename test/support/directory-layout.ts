/** Packs entries into the blocks of a directory: one leaf, or leaves of equal depth behind an index. */
import { constant } from '../../src/format/constants.ts'
import {
  cookieOf,
  type DirEntry,
  encodeIndex,
  encodeLeaf,
  HASH_BITS,
  nameHash,
  topBits,
} from '../../src/format/directory.ts'
import type { SipKey } from '../../src/format/siphash.ts'

const ROOM = 4096 - constant('DIR_HEADER')
const PER_INDEX = constant('DIR_INDEX_ENTRIES')

const sizeOf = (entries: readonly DirEntry[]): number =>
  entries.reduce((sum, e) => sum + constant('DIR_ENTRY_HEADER') + e.name.length, 0)

export function layoutDirectory(
  key: SipKey,
  directory: number,
  names: readonly Omit<DirEntry, 'cookie'>[],
): { blocks: Uint8Array[]; depth: number; indexFirst: number; indexBlocks: number } {
  const entries: DirEntry[] = names.map(entry => ({
    ...entry,
    cookie: cookieOf(nameHash(key, directory, entry.name), 0),
  }))
  if (entries.length === 0) return { blocks: [], depth: 0, indexFirst: 0, indexBlocks: 0 }
  for (let depth = 0; ; depth++) {
    const groups: DirEntry[][] = Array.from({ length: 2 ** depth }, () => [])
    for (const entry of entries) groups[topBits((entry.cookie - 64n) >> 6n, depth)]!.push(entry)
    if (groups.some(group => sizeOf(group) > ROOM)) continue
    if (depth === 0) return { blocks: [encodeLeaf(0, 0n, entries)], depth, indexFirst: 0, indexBlocks: 0 }
    const leaves = groups.map((group, i) => encodeLeaf(depth, BigInt(i) << BigInt(HASH_BITS - depth), group))
    const count = Math.ceil(leaves.length / PER_INDEX)
    const numbers = leaves.map((_, i) => i)
    const index = Array.from({ length: count }, (_, i) =>
      encodeIndex(i, i === count - 1 ? 0 : leaves.length + i + 1, numbers.slice(i * PER_INDEX, (i + 1) * PER_INDEX)),
    )
    return { blocks: [...leaves, ...index], depth, indexFirst: leaves.length, indexBlocks: count }
  }
}
