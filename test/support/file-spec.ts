/** What the builder is asked for, and the plain fields of a new file. */
import { constant } from '../../src/format/constants.ts'
import {
  type AnchorFields,
  type AttributeFields,
  FILE_TYPES,
  type FileType,
  seedIdBytes,
} from '../../src/format/slot.ts'

export interface FileSpec {
  readonly type?: FileType
  readonly mode?: number
  readonly content?: Uint8Array
  readonly target?: string
  readonly xattrs?: Readonly<Record<string, string>>
  /** Blocks that are holes; makes the file SPARSE. */
  readonly holes?: readonly number[]
  /** Size beyond the content, for a SPARSE file. */
  readonly sizeBytes?: number
  /** Levels of presence nodes of a SPARSE file. */
  readonly height?: number
  /** Blocks that lie in a segment of their own. */
  readonly segments?: readonly (readonly [first: number, length: number])[]
  /** Blocks that lie at shell 1. */
  readonly shell1?: readonly number[]
  /** Blocks that lie in the overwrite area. */
  readonly area?: readonly number[]
  /** Blocks that are preallocated and never written: they read as zeros. */
  readonly unwritten?: readonly number[]
  readonly stride?: number
  readonly scale?: number
}

export function newAnchor(number: number, type: FileType, spec: FileSpec): AnchorFields {
  const seed = seedIdBytes(BigInt(number), number * 3, number * 5)
  return {
    number: BigInt(number),
    hint: number * 3,
    random: number * 5,
    public_id: seed,
    gravity_center: 0n,
    mass: 0n,
    data_class: 0n,
    tag_filter: 0n,
    orbit_vector: 0,
    fractal_scale: 0,
    permissions: (FILE_TYPES[type] << 12) | (spec.mode ?? (type === 'directory' ? 0o755 : 0o644)),
    sovereign_id: 0,
    mod_clock: 1_700_000_001_000_000_000n,
    write_gen: 0,
    create_clock: 1_700_000_001,
    checksum: 0,
    inline_buffer: new Uint8Array(constant('INLINE_MAX')),
  }
}

export function newAttributes(parent: number, type: FileType): AttributeFields {
  const time = 1_700_000_001_000_000_000n
  return {
    uid: 1000,
    gid: 1000,
    nlink: type === 'directory' ? 2 : 0,
    rdev: type.endsWith('device') ? 0x103 : 0,
    atime: time,
    ctime: time,
    btime_ns: 0,
    blocks: 0,
    extension: 0,
    parent_number: BigInt(parent),
    parent_hint: parent === 1 ? 0 : parent * 3,
    crc: 0,
  }
}
