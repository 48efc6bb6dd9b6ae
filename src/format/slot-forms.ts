/**
 * The legal forms of a slot (docs/format.md section 3): what a type of file and its flags allow.
 *
 * slot-state.ts decides by these rows. `scripts/generate.mjs` writes the same rows for Rust
 * (native/core/src/format/slot/forms.rs) and the table of docs/format.md. This file imports types only, so that
 * the generator can load it alone.
 */
import type { ConstantName, FLAGS } from './layout.ts'

export type ClassFlag = (typeof FLAGS.DATA_CLASS)[number][0]
export type TypeName = 'fifo' | 'character device' | 'directory' | 'block device' | 'regular' | 'symlink' | 'socket'

/**
 * How many blocks the file owns. none: 0. content: ceil(mass / 4096). at least content: those and any others.
 * copies of content: mass / 4096, twice if `gravity_1` is set. any: what the volume holds.
 */
export type BlockRule = 'none' | 'content' | 'at least content' | 'copies of content' | 'any'

/** What the inline buffer holds; what a state has to obey besides is in the code and in docs/format.md. */
export type BufferRule = 'zero' | 'content' | 'file state' | 'directory state'

/** The size: from `min` bytes to `max`, which counts bytes or blocks; whole blocks: a multiple of 4096. */
export interface MassRule {
  readonly min: number | ConstantName | `${ConstantName} + 1`
  readonly max: number | ConstantName
  readonly unit: 'bytes' | 'blocks' | 'whole blocks'
}

export interface SlotForm {
  readonly name: string
  readonly types: readonly TypeName[]
  /** Of FORM_FLAGS the file has exactly these: they choose the row of its type. */
  readonly has: readonly ClassFlag[]
  /** Flags that it may have besides. */
  readonly may: readonly ClassFlag[]
  /** KMAX may be above 0. */
  readonly kmax: boolean
  readonly mass: MassRule
  readonly blocks: BlockRule
  /** In place of `blocks` while TRUNCATING, which a row that may have it gives a rule. */
  readonly truncating?: BlockRule
  /** In place of both with TOMBSTONE. */
  readonly tombstone: BlockRule
  readonly buffer: BufferRule
  /** May `nlink` be 1? */
  readonly nlink1: boolean
  /** May `rdev` be other than 0? */
  readonly rdev: boolean
}

/** The flags that choose a row among those of a type. */
export const FORM_FLAGS = ['INLINE', 'SPARSE', 'LONG_SYMLINK'] as const satisfies readonly ClassFlag[]

/** Flags that announce a record in the extension chain, with its type: there is a chain if any is set, and only then. */
export const CHAIN_FLAGS = [
  ['HAS_SEGMENTS', 'SEGMENTS'],
  ['HAS_XATTR', 'XATTR'],
  ['HAS_ACL', 'ACL'],
  ['LONG_SYMLINK', 'SYMLINK'],
] as const satisfies readonly (readonly [ClassFlag, string])[]

/** Flags of later versions: such a file is not damage but EOPNOTSUPP; so are a window and copies above 0. */
export const LATER_FLAGS = [
  'ENCRYPTED',
  'COMPRESSED',
  'LUDIC',
  'HAS_TAGS',
  'SEALED',
] as const satisfies readonly ClassFlag[]

const ANY = ['TOMBSTONE', 'HAS_XATTR', 'HAS_ACL'] as const satisfies readonly ClassFlag[]
const NOTHING = { min: 0, max: 0, unit: 'bytes' } as const
const IN_ANCHOR = { min: 1, max: 'INLINE_MAX', unit: 'bytes' } as const
const FILE_SIZE = { min: 0, max: 'FILE_BLOCKS_MAX', unit: 'blocks' } as const

/** A row with what most rows have. */
const form = (row: Omit<SlotForm, 'nlink1' | 'rdev'> & Partial<SlotForm>): SlotForm => ({
  nlink1: true,
  rdev: false,
  ...row,
})

export const SLOT_FORMS: readonly SlotForm[] = [
  form({
    name: 'dense file',
    types: ['regular'],
    has: [],
    may: [...ANY, 'TRUNCATING', 'HAS_SEGMENTS'],
    kmax: true,
    mass: FILE_SIZE,
    blocks: 'content',
    truncating: 'at least content',
    tombstone: 'any',
    buffer: 'zero',
  }),
  form({
    name: 'inline file',
    types: ['regular'],
    has: ['INLINE'],
    may: ANY,
    kmax: false,
    mass: IN_ANCHOR,
    blocks: 'none',
    tombstone: 'none',
    buffer: 'content',
  }),
  form({
    name: 'sparse file',
    types: ['regular'],
    has: ['SPARSE'],
    may: [...ANY, 'TRUNCATING', 'HAS_SEGMENTS'],
    kmax: true,
    mass: FILE_SIZE,
    blocks: 'any',
    truncating: 'any',
    tombstone: 'any',
    buffer: 'file state',
  }),
  form({
    name: 'directory',
    types: ['directory'],
    has: [],
    may: [...ANY, 'HAS_SEGMENTS'],
    kmax: true,
    mass: { min: 0, max: 'DIR_BLOCKS_MAX', unit: 'whole blocks' },
    blocks: 'copies of content',
    tombstone: 'any',
    buffer: 'directory state',
    nlink1: false,
  }),
  form({
    name: 'short symlink',
    types: ['symlink'],
    has: ['INLINE'],
    may: ANY,
    kmax: false,
    mass: IN_ANCHOR,
    blocks: 'none',
    tombstone: 'none',
    buffer: 'content',
  }),
  form({
    name: 'long symlink',
    types: ['symlink'],
    has: ['LONG_SYMLINK'],
    may: ANY,
    kmax: false,
    mass: { min: 'INLINE_MAX + 1', max: 'SYMLINK_MAX', unit: 'bytes' },
    blocks: 'none',
    tombstone: 'none',
    buffer: 'zero',
  }),
  form({
    name: 'pipe, socket',
    types: ['fifo', 'socket'],
    has: [],
    may: ANY,
    kmax: false,
    mass: NOTHING,
    blocks: 'none',
    tombstone: 'none',
    buffer: 'zero',
  }),
  form({
    name: 'device',
    types: ['character device', 'block device'],
    has: [],
    may: ANY,
    kmax: false,
    mass: NOTHING,
    blocks: 'none',
    tombstone: 'none',
    buffer: 'zero',
    rdev: true,
  }),
]
