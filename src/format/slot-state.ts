/** The table of legal states of a slot (docs/format.md section 3). */
import { isZero } from '../base/bytes.ts'
import { Hn4Error, reasonOf } from '../base/error.ts'
import { constant, dataClassField, type FlagName, flag, flagNames, knownBits } from './constants.ts'
import type { Geometry } from './geometry.ts'
import { DATA_CLASS_FIELDS } from './layout.ts'
import type { Slot } from './slot.ts'

type ClassFlag = FlagName<'DATA_CLASS'>

const RESERVED: readonly ClassFlag[] = ['ENCRYPTED', 'COMPRESSED', 'LUDIC', 'HAS_TAGS', 'SEALED']
const EXTENDED: readonly ClassFlag[] = ['HAS_SEGMENTS', 'HAS_XATTR', 'HAS_ACL', 'LONG_SYMLINK']
const ANY: readonly ClassFlag[] = ['TOMBSTONE', 'HAS_XATTR', 'HAS_ACL']
const OWNER: readonly ClassFlag[] = [...ANY, 'TRUNCATING', 'HAS_SEGMENTS']
const CAPABILITIES = 0xffff | flag('PERMISSION', 'IMMUTABLE') | flag('PERMISSION', 'APPEND')
const FIELD_BITS = DATA_CLASS_FIELDS.reduce(
  (bits, [, bit, width]) => bits | (((1n << BigInt(width)) - 1n) << BigInt(bit)),
  0n,
)
const NUMBER_END = 2n ** 53n

/** What a check of the state needs to know of the volume. */
export interface StateLimits {
  readonly geometry: Pick<Geometry, 'windowStart'>
  readonly phi: (scale: number) => number
  /** Units of the extension region. */
  readonly units: number
  /** Data blocks of the volume: no file owns more. */
  readonly dataBlocks: number
}

/** A feature that version 1 reserves and the slot uses; null if none. Such a file is not damage but EOPNOTSUPP. */
export function reservedFeature(slot: Slot): string | null {
  for (const name of RESERVED) if (slot.has(name)) return name
  if (dataClassField('WINDOW', slot.anchor.data_class) !== 0) return 'WINDOW'
  if (dataClassField('COPIES', slot.anchor.data_class) !== 0) return 'COPIES'
  return null
}

/** The first rule of the table that the slot breaks; null if its state is legal. */
export function slotStateProblem(slot: Slot, limits: StateLimits): string | null {
  try {
    return (
      identity(slot) ??
      classBits(slot) ??
      attributes(slot, limits) ??
      equation(slot) ??
      byType(slot) ??
      places(slot, limits)
    )
  } catch (error) {
    if (error instanceof Hn4Error) return reasonOf(error)
    throw error
  }
}

/** Rules as [holds, what is wrong otherwise]: the first that does not hold. */
function first(rules: readonly (readonly [boolean, string])[]): string | null {
  return rules.find(([holds]) => !holds)?.[1] ?? null
}

function identity(slot: Slot): string | null {
  const { number, hint, random } = slot.anchor
  const system = number >= 1n && number <= BigInt(constant('INO_KEYS'))
  const file = number >= BigInt(constant('INO_FIRST')) && number < NUMBER_END
  return first([
    [system || file, `number ${number}`],
    [!system || (hint === 0 && random === 0), 'seed_id of a system file'],
  ])
}

function classBits(slot: Slot): string | null {
  const { data_class, tag_filter, sovereign_id, permissions } = slot.anchor
  return first([
    [(data_class & ~(knownBits('DATA_CLASS') | FIELD_BITS)) === 0n, 'unknown flag in data_class'],
    [slot.kmax < constant('SHELLS'), `highest shell ${slot.kmax}`],
    [tag_filter === 0n, 'tag_filter is not 0'],
    [sovereign_id === 0, 'sovereign_id is not 0'],
    [(permissions & ~CAPABILITIES) === 0, 'unknown capability in permissions'],
    [slot.type !== null, `file type ${slot.typeNumber}`],
  ])
}

function attributes(slot: Slot, limits: StateLimits): string | null {
  const a = slot.attributes
  const device = slot.type === 'character device' || slot.type === 'block device'
  const extended = EXTENDED.some(name => slot.has(name))
  return first([
    [!slot.has('TOMBSTONE') || a.nlink === 0, 'a tombstone with names'],
    [slot.type !== 'directory' || a.nlink !== 1, 'a directory with nlink 1'],
    [device || a.rdev === 0, 'rdev of a file that is no device'],
    [a.btime_ns < 1_000_000_000, `btime_ns ${a.btime_ns}`],
    [a.parent_number < NUMBER_END, `parent ${a.parent_number}`],
    [a.blocks <= limits.dataBlocks, `${a.blocks} blocks, more than the volume has`],
    [a.extension < limits.units, `extension unit ${a.extension} is outside the region`],
    [
      (a.extension !== 0) === extended,
      extended ? 'flags name an extension, but there is none' : 'an extension that no flag names',
    ],
  ])
}

/** G, V, M: all set or all zero, and set exactly if the file owns blocks. */
function equation(slot: Slot): string | null {
  const { gravity_center, orbit_vector, fractal_scale } = slot.anchor
  const owner = slot.attributes.blocks !== 0
  const set = gravity_center !== 0n
  return first([
    [set === owner, owner ? 'owns blocks, but gravity_center is 0' : 'owns no block, but gravity_center is set'],
    [set ? orbit_vector !== 0 : orbit_vector === 0, `orbit_vector ${orbit_vector}`],
    [set ? fractal_scale <= constant('SCALE_MAX') : fractal_scale === 0, `fractal_scale ${fractal_scale}`],
  ])
}

/** Flags outside `allowed` belong to another type. */
function only(slot: Slot, allowed: readonly ClassFlag[]): string | null {
  const foreign = flagNames('DATA_CLASS', slot.anchor.data_class).find(name => !allowed.includes(name as ClassFlag))
  return foreign === undefined ? null : `flag ${foreign} on a ${slot.type}`
}

function byType(slot: Slot): string | null {
  switch (slot.type) {
    case 'regular':
      return regular(slot)
    case 'directory':
      return directory(slot)
    case 'symlink':
      return symlink(slot)
    default:
      return (
        only(slot, ANY) ??
        first([
          [slot.attributes.blocks === 0, 'blocks'],
          [slot.anchor.mass === 0n, 'mass'],
        ]) ??
        zeroBuffer(slot)
      )
  }
}

function zeroBuffer(slot: Slot): string | null {
  return isZero(slot.anchor.inline_buffer) ? null : 'inline_buffer is not zero'
}

function inline(slot: Slot): string | null {
  const { mass, inline_buffer } = slot.anchor
  return first([
    [mass >= 1n && mass <= BigInt(constant('INLINE_MAX')), `mass ${mass} of inline content`],
    [slot.attributes.blocks === 0, 'inline content and blocks'],
    [isZero(inline_buffer, Number(mass)), 'inline_buffer behind the content is not zero'],
  ])
}

/** Its blocks are on their way out: mass and blocks need not agree. */
function isLeaving(slot: Slot): boolean {
  return slot.has('TOMBSTONE') || slot.has('TRUNCATING')
}

function regular(slot: Slot): string | null {
  const foreign = only(slot, [...OWNER, 'INLINE', 'SPARSE'])
  if (foreign) return foreign
  if (slot.has('INLINE')) {
    const mixed = slot.has('SPARSE') || slot.has('TRUNCATING') || slot.has('HAS_SEGMENTS')
    return mixed ? 'INLINE together with SPARSE, TRUNCATING or HAS_SEGMENTS' : inline(slot)
  }
  const limit = BigInt(constant('FILE_BLOCKS_MAX')) * BigInt(constant('BLOCK_SIZE'))
  if (slot.anchor.mass > limit) return `mass ${slot.anchor.mass}`
  const { blocks } = slot.attributes
  if (slot.has('SPARSE')) {
    const state = slot.fileState()
    return first([
      [state.height <= 3, `presence height ${state.height}`],
      [blocks !== 0 || (state.root === 0n && state.gravity_1 === 0), 'presence without blocks'],
      [isLeaving(slot) || blocks === 0 || state.root !== 0n, 'blocks without presence'],
    ])
  }
  const expected = slot.contentBlocks
  const fits = slot.has('TOMBSTONE') || (slot.has('TRUNCATING') ? blocks >= expected : blocks === expected)
  return fits ? zeroBuffer(slot) : `${blocks} blocks for ${slot.anchor.mass} bytes`
}

function symlink(slot: Slot): string | null {
  const foreign = only(slot, [...ANY, 'INLINE', 'LONG_SYMLINK'])
  if (foreign) return foreign
  if (slot.has('INLINE') === slot.has('LONG_SYMLINK')) return 'a symlink needs INLINE or LONG_SYMLINK'
  if (slot.has('INLINE')) return inline(slot)
  const { mass } = slot.anchor
  const fits = mass > BigInt(constant('INLINE_MAX')) && mass <= BigInt(constant('SYMLINK_MAX'))
  return (
    first([
      [fits, `mass ${mass} of a long symlink`],
      [slot.attributes.blocks === 0, 'a symlink with blocks'],
    ]) ?? zeroBuffer(slot)
  )
}

function directory(slot: Slot): string | null {
  const foreign = only(slot, OWNER)
  if (foreign) return foreign
  const { mass } = slot.anchor
  const state = slot.dirState()
  const blocks = Number(mass / 4096n)
  const copies = state.gravity_1 === 0 ? 1 : 2
  const basics = first([
    [mass % 4096n === 0n && blocks < 2 ** 32, `mass ${mass} of a directory`],
    [
      isLeaving(slot) || slot.attributes.blocks === blocks * copies,
      `${slot.attributes.blocks} blocks for ${mass} bytes in ${copies} copies`,
    ],
    [state.gravity_1 === 0 || slot.anchor.gravity_center !== 0n, 'copy 1 without copy 0'],
    [state.depth <= constant('DIR_DEPTH_MAX'), `index depth ${state.depth}`],
  ])
  if (basics || isLeaving(slot)) return basics
  const indexed = state.depth !== 0
  const indexBlocks = indexed ? Math.ceil(2 ** state.depth / constant('DIR_INDEX_ENTRIES')) : 0
  return first([
    [(state.entries === 0) === (blocks === 0), `${state.entries} entries in ${blocks} blocks`],
    [state.index_blocks === indexBlocks, `${state.index_blocks} index blocks for depth ${state.depth}`],
    [indexed || state.index_first === 0, 'index_first without an index'],
    [!indexed || state.index_first < blocks, `index_first ${state.index_first} of ${blocks} blocks`],
    [indexed ? blocks > indexBlocks : blocks <= 1, `${blocks} blocks with ${indexBlocks} index blocks`],
  ])
}

/** G of both copies lies in the window, V is below phi(M). */
function places(slot: Slot, limits: StateLimits): string | null {
  const { gravity_center, orbit_vector, fractal_scale } = slot.anchor
  if (gravity_center === 0n) return null
  const clusters = limits.phi(fractal_scale)
  const size = 2n ** BigInt(fractal_scale)
  const inside = (gravity: bigint): boolean => {
    const distance = gravity - BigInt(limits.geometry.windowStart)
    return distance >= 0n && distance % size === 0n && distance / size < BigInt(clusters)
  }
  const other =
    slot.type === 'directory' ? slot.dirState().gravity_1 : slot.has('SPARSE') ? slot.fileState().gravity_1 : 0
  return first([
    [orbit_vector < clusters, `orbit_vector ${orbit_vector} is not below ${clusters}`],
    [inside(gravity_center), `gravity_center ${gravity_center} is not in the window`],
    [other === 0 || inside(BigInt(other)), `origin ${other} of copy 1 is not in the window`],
  ])
}
