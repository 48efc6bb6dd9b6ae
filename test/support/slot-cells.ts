/**
 * Every cell of the table of legal forms (src/format/slot-forms.ts): type, flags, size, blocks, nlink, inline
 * buffer. test/vectors/slot-states.json says which are legal; both languages walk the same product.
 */
import { fromHex, hex } from '../../src/base/bytes.ts'
import { blockNumber } from '../../src/base/units.ts'
import { flag } from '../../src/format/constants.ts'
import { type Geometry, phi } from '../../src/format/geometry.ts'
import { DATA_CLASS_FIELDS } from '../../src/format/layout.ts'
import {
  type AnchorFields,
  type AttributeFields,
  emptyAnchor,
  emptyAttributes,
  encodeSlot,
  FILE_TYPES,
  Slot,
  seedIdBytes,
} from '../../src/format/slot.ts'
import { CHAIN_FLAGS } from '../../src/format/slot-forms.ts'
import { type StateLimits, slotStateProblem } from '../../src/format/slot-state.ts'

/** The values of each axis; the last runs fastest. */
export interface Axes {
  readonly types: readonly number[]
  readonly classes: readonly string[]
  readonly mass: readonly string[]
  readonly blocks: readonly number[]
  readonly nlink: readonly number[]
  /** 28 bytes each, in hex. */
  readonly buffers: readonly string[]
}

const FLAGS = [
  'TOMBSTONE',
  'TRUNCATING',
  'INLINE',
  'SPARSE',
  'HAS_SEGMENTS',
  'HAS_XATTR',
  'HAS_ACL',
  'LONG_SYMLINK',
] as const
const KMAX_BIT = DATA_CLASS_FIELDS.find(([name]) => name === 'KMAX')![1]
const CHAIN = CHAIN_FLAGS.reduce((bits, [name]) => bits | BigInt(flag('DATA_CLASS', name)), 0n)

function classes(): string[] {
  const found: string[] = []
  for (let set = 0; set < 2 ** (FLAGS.length + 1); set++) {
    const bits = FLAGS.reduce((sum, name, i) => ((set >> i) & 1 ? sum + BigInt(flag('DATA_CLASS', name)) : sum), 0n)
    found.push((bits + (set >> FLAGS.length ? 1n << BigInt(KMAX_BIT) : 0n)).toString())
  }
  return found
}

/** `start` and zeros behind it. */
const buffer = (start: string): string => start.padEnd(56, '0')

export const AXES: Axes = {
  types: Object.values(FILE_TYPES),
  classes: classes(),
  mass: ['0', '1', '28', '29', '4095', '4096', '12288', `${2n ** 44n}`, `${2n ** 59n + 1n}`],
  blocks: [0, 1, 2, 3],
  nlink: [0, 1, 2],
  buffers: [
    buffer(''),
    buffer('68'),
    '61'.repeat(28),
    // Directories: one leaf, in one copy and in two (G of copy 1 is 5100); an index of depth 1 in block 1.
    buffer('000000000000000000000000000000000100'),
    buffer('ec1300000000000000000000000000000100'),
    buffer('000000000000010001000000010000000200'),
    // Presence: block 0 in the root; node 0 in two copies.
    buffer('00000000000000000100'),
    buffer('ec130000000001000100'),
  ],
}

/** A volume whose window begins at block 5000, with 4099 blocks and 300 of overwrite area, and 100 units. */
const window = { windowBlocks: 4099 } as Geometry
const clusters = new Map<number, number>()
export const LIMITS: StateLimits = {
  geometry: { windowStart: blockNumber(5000) },
  phi: scale => {
    const found = clusters.get(scale) ?? phi(window, scale)
    clusters.set(scale, found)
    return found
  },
  units: 100,
  dataBlocks: 4399,
}

/** One cell: fields that differ from an empty file's. */
export interface Cell {
  readonly type: number
  readonly dataClass: bigint
  readonly mass: bigint
  readonly blocks: number
  readonly nlink: number
  readonly buffer: Uint8Array
}

export function cellFields(cell: Cell, number = 77n): { anchor: AnchorFields; attributes: AttributeFields } {
  const isOwner = cell.blocks > 0
  return {
    anchor: {
      ...emptyAnchor(),
      number,
      hint: 5,
      random: 1,
      public_id: seedIdBytes(number, 5, 1),
      gravity_center: isOwner ? 5000n : 0n,
      orbit_vector: isOwner ? 1 : 0,
      mass: cell.mass,
      data_class: cell.dataClass,
      permissions: (cell.type << 12) | 0o644,
      inline_buffer: cell.buffer,
    },
    attributes: {
      ...emptyAttributes(),
      nlink: cell.nlink,
      blocks: cell.blocks,
      extension: (cell.dataClass & CHAIN) === 0n ? 0 : 1,
      parent_number: 1n,
    },
  }
}

/** The cells of a type and a set of flags, in the order of the axes. */
export function* cellsOf(axes: Axes, type: number, dataClass: bigint): Generator<Cell> {
  const buffers = axes.buffers.map(text => fromHex(text)!)
  for (const mass of axes.mass.map(BigInt))
    for (const blocks of axes.blocks)
      for (const nlink of axes.nlink)
        for (const buffer of buffers) yield { type, dataClass, mass, blocks, nlink, buffer }
}

/**
 * Which cells of a type and a set of flags are legal: bit i mod 8 of byte i / 8, in hex; empty if none is.
 * Only every `step`-th is looked at.
 */
export function legalCells(axes: Axes, type: number, dataClass: bigint, step = 1): string {
  const slot = new Slot(encodeSlot(emptyAnchor(), emptyAttributes()))
  const bits: number[] = []
  let i = -1
  for (const cell of cellsOf(axes, type, dataClass)) {
    i++
    if (i % step !== 0) continue
    // The fields of cellFields; those that stay the same are set once, there are three million cells.
    if (i === 0) {
      const { anchor, attributes } = cellFields(cell)
      Object.assign(slot.anchor, anchor)
      Object.assign(slot.attributes, attributes)
    }
    const isOwner = cell.blocks > 0
    slot.anchor.gravity_center = isOwner ? 5000n : 0n
    slot.anchor.orbit_vector = isOwner ? 1 : 0
    slot.anchor.mass = cell.mass
    slot.anchor.inline_buffer = cell.buffer
    slot.attributes.nlink = cell.nlink
    slot.attributes.blocks = cell.blocks
    if (slotStateProblem(slot, LIMITS) === null) bits.push(i)
  }
  if (bits.length === 0) return ''
  const bytes = new Uint8Array(Math.ceil((i + 1) / 8))
  for (const bit of bits) bytes[bit >> 3]! |= 1 << (bit & 7)
  return hex(bytes)
}

/** The key of a type and a set of flags in the vectors. */
export const groupKey = (type: number, dataClass: string): string => `${type} ${dataClass}`
