/** The superblock: a block of identity and geometry, in four places (docs/format.md section 1). */
import { isUtf8 } from 'node:buffer'
import { equalBytes, hex, isZero } from '../base/bytes.ts'
import { Hn4Error } from '../base/error.ts'
import { blockNumber } from '../base/units.ts'
import { type Decoded, decode, encode, offsetOf } from './codec.ts'
import { constant, flag, knownBits } from './constants.ts'
import { crc32c } from './crc32c.ts'
import { descriptorsPerPage, type Geometry, type RegionName } from './geometry.ts'
import { BLOCK_SIZE, FORMAT_VERSION, SUPERBLOCK, SUPERBLOCK_MAGIC } from './layout.ts'

export type SuperblockFields = Decoded<typeof SUPERBLOCK>

export const SUPERBLOCK_MAGIC_BYTES = Uint8Array.from(SUPERBLOCK_MAGIC)

const CRC_AT = offsetOf(SUPERBLOCK, 'crc')

/** Why a block is not a valid superblock of `position`; null if it is one. */
export function superblockProblem(block: Uint8Array, position: number): string | null {
  if (!equalBytes(block.subarray(0, 8), SUPERBLOCK_MAGIC_BYTES)) return isZero(block) ? 'empty' : 'no magic'
  const stored = new DataView(block.buffer, block.byteOffset).getUint32(CRC_AT, true)
  if (crc32c(block.subarray(0, CRC_AT)) !== stored) return 'checksum'
  let fields: SuperblockFields
  try {
    fields = decode(SUPERBLOCK, block)
  } catch (error) {
    if (error instanceof Hn4Error) return error.message
    throw error
  }
  if (fields.format_version !== FORMAT_VERSION) return `format version ${fields.format_version}`
  if (fields.block_size !== BLOCK_SIZE) return `block size ${fields.block_size}`
  if (fields.position !== position) return `position ${fields.position} found at position ${position}`
  return null
}

export function decodeSuperblock(block: Uint8Array): SuperblockFields {
  return decode(SUPERBLOCK, block)
}

/** Encodes with its checksum. */
export function encodeSuperblock(fields: SuperblockFields): Uint8Array {
  const block = new Uint8Array(BLOCK_SIZE)
  encode(SUPERBLOCK, fields, block)
  new DataView(block.buffer).setUint32(CRC_AT, crc32c(block.subarray(0, CRC_AT)), true)
  return block
}

/** The numbers of a superblock; what is too large for a volume is GEOMETRY damage. */
export function geometryOf(s: SuperblockFields): Geometry {
  const small = (name: keyof SuperblockFields): number => {
    const value = s[name] as bigint
    if (value > BigInt(constant('VOLUME_BLOCKS_MAX'))) {
      throw new Hn4Error('GEOMETRY', { position: s.position, field: name, found: value, rule: 'is too large' })
    }
    return Number(value)
  }
  if (s.shells !== constant('SHELLS')) throw fixed(s, 'shells', s.shells, constant('SHELLS'))
  if (s.generation < 1n)
    throw new Hn4Error('GEOMETRY', {
      position: s.position,
      field: 'generation',
      found: s.generation,
      rule: 'must be at least 1',
    })
  if (!isLabel(s.label))
    throw new Hn4Error('GEOMETRY', {
      position: s.position,
      field: 'label',
      found: hex(s.label),
      rule: 'must be UTF-8, ended by NUL',
    })
  const pages: Record<RegionName, number> = {
    INIT: small('init_pages'),
    FREE: small('free_pages'),
    UNIT: small('unit_pages'),
    DESCRIPTOR: small('descriptor_pages'),
    CORTEX: small('cortex_pages'),
    STASH: small('stash_pages'),
    EXTENSION: small('extension_pages'),
    KEY: small('key_pages'),
    SCRUB: small('scrub_pages'),
  }
  return {
    blockCount: small('block_count'),
    logStart: blockNumber(small('log_start')),
    logBlocks: small('log_blocks'),
    copyA: blockNumber(small('copy_a')),
    copyB: blockNumber(small('copy_b')),
    windowStart: blockNumber(small('window_start')),
    windowBlocks: small('window_blocks'),
    areaBlocks: small('area_blocks'),
    pages,
    stride: small('stride'),
    scale: s.scale,
    reserveBlocks: small('reserve_blocks'),
    descriptorSize: s.descriptor_size,
    descriptorsPerPage: descriptorsPerPage(s.descriptor_size),
  }
}

function isLabel(label: Uint8Array): boolean {
  const end = label.indexOf(0)
  return end >= 0 && isZero(label, end) && isUtf8(label.subarray(0, end))
}

function fixed(s: SuperblockFields, field: string, found: number, expected: number): Hn4Error {
  return new Hn4Error('GEOMETRY', { position: s.position, field, found, rule: `must be ${expected}` })
}

/** Identity of a new volume; the rest of its superblock follows from the geometry. */
export interface Identity {
  readonly uuid: Uint8Array
  readonly salt: Uint8Array
  readonly hashKey: Uint8Array
  /** UTF-8, at most 63 bytes. */
  readonly label: Uint8Array
  /** ns since 1970. */
  readonly createdNs: bigint
}

/** The fields of a new superblock at `position` (0 to 3), generation 1. */
export function newSuperblock(g: Geometry, id: Identity, position: number): SuperblockFields {
  const label = new Uint8Array(64)
  label.set(id.label)
  const n = (value: number): bigint => BigInt(value)
  return {
    magic: SUPERBLOCK_MAGIC_BYTES,
    format_version: FORMAT_VERSION,
    block_size: BLOCK_SIZE,
    generation: 1n,
    uuid: id.uuid,
    salt: id.salt,
    hash_key: id.hashKey,
    label,
    compat: 0n,
    ro_compat: 0n,
    incompat: n(flag('INCOMPAT', 'EXPERIMENTAL')),
    block_count: n(g.blockCount),
    log_start: n(g.logStart),
    log_blocks: n(g.logBlocks),
    copy_a: n(g.copyA),
    copy_b: n(g.copyB),
    window_start: n(g.windowStart),
    window_blocks: n(g.windowBlocks),
    area_blocks: n(g.areaBlocks),
    init_pages: n(g.pages.INIT),
    free_pages: n(g.pages.FREE),
    unit_pages: n(g.pages.UNIT),
    descriptor_pages: n(g.pages.DESCRIPTOR),
    cortex_pages: n(g.pages.CORTEX),
    stash_pages: n(g.pages.STASH),
    extension_pages: n(g.pages.EXTENSION),
    key_pages: n(g.pages.KEY),
    scrub_pages: n(g.pages.SCRUB),
    descriptor_size: g.descriptorSize,
    shells: constant('SHELLS'),
    stride: n(g.stride),
    scale: g.scale,
    position,
    reserve_blocks: n(g.reserveBlocks),
    created: id.createdNs,
    crc: 0,
  }
}

/** Bits of `incompat` that this version does not know. */
export function unknownIncompat(s: SuperblockFields): bigint {
  return s.incompat & ~knownBits('INCOMPAT')
}

/** The label without its NUL padding. */
export function labelBytes(s: SuperblockFields): Uint8Array {
  const end = s.label.indexOf(0)
  return s.label.subarray(0, end < 0 ? s.label.length : end)
}
