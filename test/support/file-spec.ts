/** What the builder is asked for, and the fields of a new file. */
import { type FlagName, flag } from '../../src/format/constants.ts'
import {
  type AnchorFields,
  type AttributeFields,
  emptyAnchor,
  emptyAttributes,
  FILE_TYPES,
  type FileType,
  seedIdBytes,
} from '../../src/format/slot.ts'

/** All times of a built file. */
const TIME = 1_700_000_001_000_000_000n

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

/** A file as the builder knows it. */
export interface FileFields {
  readonly anchor: AnchorFields
  readonly attributes: AttributeFields
}

export function withFlags(file: FileFields, ...names: FlagName<'DATA_CLASS'>[]): FileFields {
  const bits = names.reduce((sum, name) => sum | BigInt(flag('DATA_CLASS', name)), file.anchor.data_class)
  return { ...file, anchor: { ...file.anchor, data_class: bits } }
}

export const seedIdOf = ({ number, hint, random }: Pick<AnchorFields, 'number' | 'hint' | 'random'>): Uint8Array =>
  seedIdBytes(number, hint, random)

export function newAnchor(number: number, type: FileType, spec: FileSpec): AnchorFields {
  const ids = { number: BigInt(number), hint: number * 3, random: number * 5 }
  return {
    ...emptyAnchor(),
    ...ids,
    public_id: seedIdOf(ids),
    permissions: (FILE_TYPES[type] << 12) | (spec.mode ?? (type === 'directory' ? 0o755 : 0o644)),
    mod_clock: TIME,
    create_clock: Number(TIME / 1_000_000_000n),
  }
}

export function newAttributes(parent: number, type: FileType): AttributeFields {
  return {
    ...emptyAttributes(),
    uid: 1000,
    gid: 1000,
    nlink: type === 'directory' ? 2 : 0,
    rdev: type.endsWith('device') ? 0x103 : 0,
    atime: TIME,
    ctime: TIME,
    parent_number: BigInt(parent),
    parent_hint: parent === 1 ? 0 : parent * 3,
  }
}
