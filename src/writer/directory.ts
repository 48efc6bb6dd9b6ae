/** Packs entries into the blocks of a directory: one leaf, or leaves of equal depth behind an index. */
import { constant } from '../format/constants.ts'
import {
  cookieOf,
  type DirEntry,
  encodeIndex,
  encodeLeaf,
  HASH_BITS,
  hashOfCookie,
  nameHash,
  topBits,
} from '../format/directory.ts'
import { BLOCK_SIZE } from '../format/layout.ts'
import type { SipKey } from '../format/siphash.ts'
import type { DirState } from '../format/slot.ts'

const ROOM = BLOCK_SIZE - constant('DIR_HEADER')
const PER_INDEX = constant('DIR_INDEX_ENTRIES')

/** The blocks of a directory in the order of their logical indices, and what its anchor says of them. */
export interface DirectoryBlocks {
  readonly blocks: readonly Uint8Array[]
  readonly state: Omit<DirState, 'gravity_1'>
}

const sizeOf = (entries: readonly DirEntry[]): number =>
  entries.reduce((sum, e) => sum + constant('DIR_ENTRY_HEADER') + e.name.length, 0)

/** Lays out `names` of directory `directory`; their hashes must differ. */
export function layoutDirectory(
  key: SipKey,
  directory: number,
  names: readonly Omit<DirEntry, 'cookie'>[],
): DirectoryBlocks {
  const entries: DirEntry[] = names.map(entry => ({
    ...entry,
    cookie: cookieOf(nameHash(key, directory, entry.name), 0),
  }))
  const state = { depth: 0, index_first: 0, index_blocks: 0, entries: entries.length }
  if (entries.length === 0) return { blocks: [], state }
  for (let depth = 0; ; depth++) {
    const groups: DirEntry[][] = Array.from({ length: 2 ** depth }, () => [])
    for (const entry of entries) groups[topBits(hashOfCookie(entry.cookie), depth)]!.push(entry)
    if (groups.some(group => sizeOf(group) > ROOM)) continue
    if (depth === 0) return { blocks: [encodeLeaf(0, 0n, entries)], state }
    const leaves = groups.map((group, i) => encodeLeaf(depth, BigInt(i) << BigInt(HASH_BITS - depth), group))
    const count = Math.ceil(leaves.length / PER_INDEX)
    const numbers = leaves.map((_, i) => i)
    const index = Array.from({ length: count }, (_, i) =>
      encodeIndex(i, i === count - 1 ? 0 : leaves.length + i + 1, numbers.slice(i * PER_INDEX, (i + 1) * PER_INDEX)),
    )
    return {
      blocks: [...leaves, ...index],
      state: { ...state, depth, index_first: leaves.length, index_blocks: count },
    }
  }
}
