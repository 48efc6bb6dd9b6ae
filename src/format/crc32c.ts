/**
 * CRC32C (Castagnoli) of the reader, from the package crc-32: an implementation that shares no
 * code with the addon's. The package returns signed numbers; these are unsigned.
 */
import CRC32C from 'crc-32/crc32c.js'

const FOUR_ZEROS = new Uint8Array(4)

/** CRC32C of `bytes`; `before` is the CRC of what precedes them. */
export function crc32c(bytes: Uint8Array, before = 0): number {
  return CRC32C.buf(bytes, before | 0) >>> 0
}

/** CRC32C of `bytes` with the four bytes at `hole` read as zero: the form of every CRC that lies inside its record. */
export function crc32cWithHole(bytes: Uint8Array, hole: number): number {
  const head = crc32c(bytes.subarray(0, hole))
  return crc32c(bytes.subarray(hole + 4), crc32c(FOUR_ZEROS, head))
}
