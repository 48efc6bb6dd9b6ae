/**
 * Where a block must be (docs/format.md section 4): the equation of an anchor and of a segment.
 * Pure arithmetic, no I/O. Exact: what may leave 2^53 is computed with bigints.
 */
import { type BlockNumber, blockNumber } from '../base/units.ts'
import { type SipKey, siphash24 } from './siphash.ts'

/** The window of a volume. */
export interface Window {
  readonly start: BlockNumber
  /** phi(M) by M; 0: no clusters of that size. */
  readonly phi: (scale: number) => number
}

/** The numbers of an anchor, for one copy of its blocks. */
export interface Equation {
  /** Block number of G: start + a multiple of 2^scale. */
  readonly gravity: BlockNumber
  /** V, 1 <= V < phi(scale). */
  readonly stride: number
  /** M. */
  readonly scale: number
}

/** Another equation for blocks [first, first + length) of one copy; its stride is 1, its scale 0. */
export interface Segment {
  readonly first: number
  readonly length: number
  readonly gravity: BlockNumber
  readonly copy: number
}

export const SEGMENT_SIZE = 16

const T = 'T'.charCodeAt(0)

/** Hash of the 16 bytes of seed_id, which decides where shell 1 is. */
export function seedHash(key: SipKey, seedId: Uint8Array): bigint {
  const data = new Uint8Array(17)
  data[0] = T
  data.set(seedId, 1)
  return siphash24(key, data)
}

/** theta(k) in clusters: 0 for shell 0; for shell 1 a far place that the identity decides. */
export function theta(hash: bigint, shell: number, phi: number): number {
  return shell === 0 ? 0 : Math.floor(phi / 4) + Number(hash % BigInt(Math.floor(phi / 2)))
}

/** Block of logical index `index` by an anchor's equation; `offset` is theta(k) for phi(scale). */
export function addressByEquation(window: Window, equation: Equation, index: number, offset: number): BlockNumber {
  const { stride, scale } = equation
  const phi = window.phi(scale)
  const size = 2 ** scale
  const cluster = Math.floor(index / size)
  const origin = (equation.gravity - window.start) / size
  const step = stride === 1 ? cluster % phi : Number((BigInt(cluster) * BigInt(stride)) % BigInt(phi))
  return blockNumber(window.start + ((origin + step + offset) % phi) * size + (index % size))
}

/** Block of logical index `index`, which `segment` covers; `offset` is theta(k) for phi(0). */
export function addressBySegment(window: Window, segment: Segment, index: number, offset: number): BlockNumber {
  const distance = (segment.gravity - window.start + (index - segment.first) + offset) % window.phi(0)
  return blockNumber(window.start + distance)
}

/** Reads the 16 bytes at `at`. */
export function decodeSegment(bytes: Uint8Array, at: number): Segment {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, SEGMENT_SIZE)
  const low = view.getBigUint64(0, true)
  const high = view.getBigUint64(8, true)
  return {
    first: Number(low & 0xffff_ffff_ffffn),
    length: Number(((low >> 48n) | (high << 16n)) & 0xffff_ffffn),
    gravity: blockNumber(Number((high >> 16n) & 0xfff_ffff_ffffn)),
    copy: Number(high >> 60n),
  }
}

export function encodeSegment(segment: Segment): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_SIZE)
  const view = new DataView(bytes.buffer)
  const length = BigInt(segment.length)
  view.setBigUint64(0, BigInt(segment.first) | ((length & 0xffffn) << 48n), true)
  view.setBigUint64(8, (length >> 16n) | (BigInt(segment.gravity) << 16n) | (BigInt(segment.copy) << 60n), true)
  return bytes
}

/** Why a segment is none; null if it is legal by itself. */
export function segmentProblem(window: Window, segment: Segment): string | null {
  if (segment.length === 0) return 'length 0'
  if (segment.copy > 1) return `copy ${segment.copy}`
  if (segment.first + segment.length > 2 ** 48) return 'beyond the last index'
  const distance = segment.gravity - window.start
  if (distance < 0 || distance >= window.phi(0)) return 'origin outside the window'
  return null
}

/** True if some segment covers the index that the one before it (of the same copy) covers; sorts in place. */
export function sortSegments(segments: Segment[]): Segment | null {
  segments.sort((a, b) => a.copy - b.copy || a.first - b.first)
  for (let i = 1; i < segments.length; i++) {
    const before = segments[i - 1]!
    const next = segments[i]!
    if (before.copy === next.copy && before.first + before.length > next.first) return next
  }
  return null
}

/** The segment of sorted `segments` that covers (index, copy). */
export function coveringSegment(segments: readonly Segment[], index: number, copy: number): Segment | null {
  let low = 0
  let high = segments.length
  while (low < high) {
    const middle = (low + high) >> 1
    const s = segments[middle]!
    if (s.copy < copy || (s.copy === copy && s.first <= index)) low = middle + 1
    else high = middle
  }
  const found = segments[low - 1]
  return found && found.copy === copy && index < found.first + found.length ? found : null
}
