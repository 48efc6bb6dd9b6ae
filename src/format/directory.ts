/** Directory blocks: leaves of entries and index blocks (docs/format.md section 5). */
import { isZero } from '../base/bytes.ts'
import { Hn4Error } from '../base/error.ts'
import { type Decoded, decode, encode } from './codec.ts'
import { constant } from './constants.ts'
import { BLOCK_SIZE, DIR_BLOCK, DIR_ENTRY, DIR_KINDS } from './layout.ts'
import { type SipKey, siphash24Halves } from './siphash.ts'

/** Bits of a name's hash. */
export const HASH_BITS = 56
const HASH_MASK = (1n << 56n) - 1n
const COOKIE_FIRST = BigInt(constant('COOKIE_FIRST'))
const N = 'N'.charCodeAt(0)
const SLASH = '/'.charCodeAt(0)
const DOT = '.'.charCodeAt(0)

export type DirHeader = Decoded<typeof DIR_BLOCK>

export interface DirEntry {
  readonly cookie: bigint
  readonly number: bigint
  readonly hint: number
  readonly random: number
  /** S_IFMT >> 12. */
  readonly type: number
  readonly name: Uint8Array
}

export interface Leaf {
  readonly kind: 'leaf'
  readonly header: DirHeader
  readonly entries: readonly DirEntry[]
}

export interface IndexBlock {
  readonly kind: 'index'
  readonly header: DirHeader
  /** Block numbers of leaves. */
  readonly leaves: readonly number[]
}

/** The low 56 bits of the hash of a name in a directory. */
export function nameHash(key: SipKey, directory: number, name: Uint8Array): bigint {
  const data = new Uint8Array(9 + name.length)
  data[0] = N
  new DataView(data.buffer).setBigUint64(1, BigInt(directory), true)
  data.set(name, 9)
  const [low, high] = siphash24Halves(key, data)
  return (BigInt(high & 0xff_ffff) << 32n) | BigInt(low)
}

export const hashOfCookie = (cookie: bigint): bigint => (cookie - COOKIE_FIRST) >> 6n
export const cookieOf = (hash: bigint, discriminator: number): bigint =>
  ((hash << 6n) | BigInt(discriminator)) + COOKIE_FIRST

/** The top `depth` bits of a hash, as a number: the place in the index. depth <= 28. */
export function topBits(hash: bigint, depth: number): number {
  return Number(hash >> BigInt(HASH_BITS - depth))
}

/** Why bytes are no name; null if they are one. */
export function nameProblem(name: Uint8Array): string | null {
  if (name.length === 0 || name.length > constant('NAME_MAX')) return `${name.length} bytes of name`
  if (name.includes(0) || name.includes(SLASH)) return 'NUL or / in the name'
  if (name[0] === DOT && (name.length === 1 || (name.length === 2 && name[1] === DOT))) return 'the name . or ..'
  return null
}

/** Decodes a directory block; a string says why it is none. Names are views into `block`. */
export function readDirBlock(block: Uint8Array): Leaf | IndexBlock | string {
  let header: DirHeader
  try {
    header = decode(DIR_BLOCK, block)
    if (header.magic !== constant('DIRECTORY_MAGIC')) return 'no directory block'
    if (header.used > BLOCK_SIZE - DIR_BLOCK.size) return `${header.used} bytes used`
    if (!isZero(block, DIR_BLOCK.size + header.used)) return 'bytes behind the entries are not zero'
    const kind = DIR_KINDS.find(([, number]) => number === header.kind)?.[0]
    if (kind === 'LEAF') return readLeaf(block, header)
    if (kind === 'INDEX') return readIndex(block, header)
    return `kind ${header.kind}`
  } catch (error) {
    if (error instanceof Hn4Error) return error.message
    throw error
  }
}

function readLeaf(block: Uint8Array, header: DirHeader): Leaf | string {
  if (header.ordinal !== 0 || header.next !== 0) return 'a leaf with ordinal or next'
  if (header.depth > constant('DIR_DEPTH_MAX')) return `depth ${header.depth}`
  if ((header.prefix & ((1n << BigInt(HASH_BITS - header.depth)) - 1n)) !== 0n || header.prefix > HASH_MASK)
    return 'prefix'
  const end = DIR_BLOCK.size + header.used
  const entries: DirEntry[] = []
  let at: number = DIR_BLOCK.size
  let before = 0n
  while (entries.length < header.count) {
    if (end - at < DIR_ENTRY.size) return 'entry cut off'
    const { name_length: length, ...fields } = decode(DIR_ENTRY, block, at)
    at += DIR_ENTRY.size
    if (length > end - at) return 'name cut off'
    const name = block.subarray(at, at + length)
    at += length
    const problem = nameProblem(name)
    if (problem) return problem
    if (fields.cookie < COOKIE_FIRST || fields.cookie >= 1n << 63n || hashOfCookie(fields.cookie) > HASH_MASK)
      return `cookie ${fields.cookie}`
    if (fields.cookie <= before) return 'entries not in the order of their cookies'
    const hash = hashOfCookie(fields.cookie)
    if (hash >> BigInt(HASH_BITS - header.depth) !== header.prefix >> BigInt(HASH_BITS - header.depth))
      return 'an entry of another leaf'
    before = fields.cookie
    entries.push({ ...fields, name })
  }
  return at === end ? { kind: 'leaf', header, entries } : 'bytes behind the last entry'
}

function readIndex(block: Uint8Array, header: DirHeader): IndexBlock | string {
  if (header.depth !== 0 || header.prefix !== 0n) return 'an index block with depth or prefix'
  if (header.count > constant('DIR_INDEX_ENTRIES') || header.used !== header.count * 4)
    return `${header.count} leaf numbers`
  const view = new DataView(block.buffer, block.byteOffset + DIR_BLOCK.size)
  const leaves = Array.from({ length: header.count }, (_, i) => view.getUint32(i * 4, true))
  return { kind: 'index', header, leaves }
}

/** A leaf block; entries are put in the order of their cookies. */
export function encodeLeaf(depth: number, prefix: bigint, entries: readonly DirEntry[]): Uint8Array {
  const block = new Uint8Array(BLOCK_SIZE)
  let at: number = DIR_BLOCK.size
  for (const entry of [...entries].sort((a, b) => (a.cookie < b.cookie ? -1 : 1))) {
    const { name, ...fields } = entry
    encode(DIR_ENTRY, { ...fields, name_length: name.length }, block, at)
    block.set(name, at + DIR_ENTRY.size)
    at += DIR_ENTRY.size + name.length
  }
  const used = at - DIR_BLOCK.size
  const magic = constant('DIRECTORY_MAGIC')
  encode(DIR_BLOCK, { magic, kind: 1, depth, count: entries.length, used, ordinal: 0, prefix, next: 0 }, block)
  return block
}

export function encodeIndex(ordinal: number, next: number, leaves: readonly number[]): Uint8Array {
  const block = new Uint8Array(BLOCK_SIZE)
  const magic = constant('DIRECTORY_MAGIC')
  encode(
    DIR_BLOCK,
    { magic, kind: 2, depth: 0, count: leaves.length, used: leaves.length * 4, ordinal, prefix: 0n, next },
    block,
  )
  const view = new DataView(block.buffer, DIR_BLOCK.size)
  for (const [i, leaf] of leaves.entries()) view.setUint32(i * 4, leaf, true)
  return block
}
