/**
 * Between the plain bytes of a block (what the file holds) and its stored bytes (what stands on the
 * device): one function for each direction, for blocks of files and of metadata alike. A codec binds the
 * content to its place, and proves it by the stamp that the block's descriptor keeps.
 */
import { crc32c } from './crc32c.ts'
import { type BlockPlace, NO_RANDOM, NO_TAG, PLAIN_DESCRIPTOR_SIZE, type Stamp } from './descriptor.ts'
import type { SuperblockFields } from './superblock.ts'

/** Why stored bytes are not what their stamp says. */
export interface BlockFault {
  /** damaged: torn or rotten; forged: whole, but not written with the volume's key. */
  readonly kind: 'damaged' | 'forged'
  readonly cause: string
}

export interface BlockCodec {
  /** Bytes of a descriptor that holds this codec's stamps. */
  readonly descriptorSize: number
  /** The random part of a run of blocks that is placed now: 16 bytes, never the same twice where they matter. */
  draw(): Uint8Array
  /** `random`: that of the run that the block is placed with. `plain` may come back as the stored bytes. */
  store(
    place: BlockPlace,
    random: Uint8Array,
    plain: Uint8Array,
  ): { readonly stored: Uint8Array; readonly stamp: Stamp }
  /** The plain bytes, which may be `stored` itself, or what is wrong. */
  load(place: BlockPlace, stamp: Stamp, stored: Uint8Array): Uint8Array | BlockFault
}

const hex = (n: number): string => n.toString(16).padStart(8, '0')

/** The fault of stored bytes whose CRC is not that of their stamp; null if it is. */
export function crcFault(stamp: Stamp, stored: Uint8Array): BlockFault | null {
  const sum = crc32c(stored)
  if (sum === stamp.crc) return null
  return { kind: 'damaged', cause: `checksum ${hex(sum)}, expected ${hex(stamp.crc)}` }
}

/** A codec for descriptors that are not plain, brought along by who opens the volume. */
export interface CodecMaker {
  readonly descriptorSize: number
  /** The codec of the volume of this superblock. */
  make(superblock: SuperblockFields): BlockCodec
}

/** Blocks as they are, with a CRC. */
export const PLAIN_CODEC: BlockCodec = {
  descriptorSize: PLAIN_DESCRIPTOR_SIZE,
  draw: () => NO_RANDOM,
  store: (_place, _random, plain) => ({
    stored: plain,
    stamp: { crc: crc32c(plain), random: NO_RANDOM, tag: NO_TAG },
  }),
  load: (_place, stamp, stored) => crcFault(stamp, stored) ?? stored,
}
