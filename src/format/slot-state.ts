/** Whether a slot's state is legal: the forms of slot-forms.ts, and the rules that hold for all (docs/format.md section 3). */
import { isZero } from '../base/bytes.ts'
import { Hn4Error, reasonOf } from '../base/error.ts'
import { constant, dataClassField, flag, flagNames, knownBits } from './constants.ts'
import type { Geometry } from './geometry.ts'
import { type ConstantName, DATA_CLASS_FIELDS } from './layout.ts'
import type { Slot } from './slot.ts'
import {
  type BlockRule,
  CHAIN_FLAGS,
  FORM_FLAGS,
  LATER_FLAGS,
  type MassRule,
  SLOT_FORMS,
  type SlotForm,
} from './slot-forms.ts'

const CAPABILITIES = 0xffff | flag('PERMISSION', 'IMMUTABLE') | flag('PERMISSION', 'APPEND')
const FIELD_BITS = DATA_CLASS_FIELDS.reduce(
  (bits, [, bit, width]) => bits | (((1n << BigInt(width)) - 1n) << BigInt(bit)),
  0n,
)
const NUMBER_END = BigInt(constant('NUMBER_END'))
const BLOCK = BigInt(constant('BLOCK_SIZE'))

/** What the numbers and names of a mass rule mean, in bytes. */
function massLimits({ min, max, unit }: MassRule): { least: bigint; most: bigint } {
  const value = (bound: MassRule['min']): bigint => {
    if (typeof bound === 'number') return BigInt(bound)
    const [name, more = '0'] = bound.split(' + ')
    return BigInt(constant(name as ConstantName)) + BigInt(more)
  }
  return { least: value(min), most: value(max) * (unit === 'bytes' ? 1n : BLOCK) }
}

const LIMITS = new Map(SLOT_FORMS.map(row => [row, massLimits(row.mass)]))

/** What a check of the state needs to know of the volume. */
export interface StateLimits {
  readonly geometry: Pick<Geometry, 'windowStart'>
  readonly phi: (scale: number) => number
  /** Units of the extension region. */
  readonly units: number
  /** Data blocks of the volume: no file owns more. */
  readonly dataBlocks: number
}

/** A slot that is not served: damage, or a feature of a later version, which is none. */
export interface StateProblem {
  readonly cause: string
  readonly isLater: boolean
}

/** The first rule that the slot breaks; null if its state is legal. */
export function slotStateProblem(slot: Slot, limits: StateLimits): StateProblem | null {
  const unknown = identity(slot) ?? unknownFlags(slot)
  if (unknown !== null) return { cause: unknown, isLater: false }
  const later = laterFeature(slot)
  if (later !== null) return { cause: later, isLater: true }
  const cause = illegal(slot, limits)
  return cause === null ? null : { cause, isLater: false }
}

/** A feature that version 1 reserves and the slot uses; null if none. */
function laterFeature(slot: Slot): string | null {
  for (const name of LATER_FLAGS) if (slot.has(name)) return name
  if (dataClassField('WINDOW', slot.anchor.data_class) !== 0) return 'WINDOW'
  if (dataClassField('COPIES', slot.anchor.data_class) !== 0) return 'COPIES'
  return null
}

function illegal(slot: Slot, limits: StateLimits): string | null {
  const form = formOf(slot)
  if (typeof form === 'string') return form
  try {
    return (
      reserved(slot) ?? attributes(slot, form, limits) ?? equation(slot) ?? byForm(slot, form) ?? places(slot, limits)
    )
  } catch (error) {
    if (error instanceof Hn4Error) return reasonOf(error)
    throw error
  }
}

/** The row that type and flags choose, or why there is none. */
function formOf(slot: Slot): SlotForm | string {
  const { type } = slot
  if (type === null) return `file type ${slot.typeNumber}`
  const has = FORM_FLAGS.filter(name => slot.has(name))
  const row = SLOT_FORMS.find(
    row => row.types.includes(type) && row.has.length === has.length && has.every(name => row.has.includes(name)),
  )
  return row ?? `a ${type} with ${has.length === 0 ? `none of ${FORM_FLAGS.join(', ')}` : has.join(', ')}`
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

function unknownFlags(slot: Slot): string | null {
  const isKnown = (slot.anchor.data_class & ~(knownBits('DATA_CLASS') | FIELD_BITS)) === 0n
  return isKnown ? null : 'unknown flag in data_class'
}

function reserved(slot: Slot): string | null {
  const { tag_filter, sovereign_id, permissions } = slot.anchor
  return first([
    [slot.kmax < constant('SHELLS'), `highest shell ${slot.kmax}`],
    [tag_filter === 0n, 'tag_filter is not 0'],
    [sovereign_id === 0, 'sovereign_id is not 0'],
    [(permissions & ~CAPABILITIES) === 0, 'unknown capability in permissions'],
  ])
}

function attributes(slot: Slot, form: SlotForm, limits: StateLimits): string | null {
  const a = slot.attributes
  const isExtended = CHAIN_FLAGS.some(([name]) => slot.has(name))
  return first([
    [!slot.has('TOMBSTONE') || a.nlink === 0, 'a tombstone with names'],
    [form.nlink1 || a.nlink !== 1, `a ${form.name} with nlink 1`],
    [form.rdev || a.rdev === 0, 'rdev of a file that is no device'],
    [a.btime_ns < 1_000_000_000, `btime_ns ${a.btime_ns}`],
    [a.parent_number < NUMBER_END, `parent ${a.parent_number}`],
    [a.blocks <= limits.dataBlocks, `${a.blocks} blocks, more than the volume has`],
    [a.extension < limits.units, `extension unit ${a.extension} is outside the region`],
    [
      (a.extension !== 0) === isExtended,
      isExtended ? 'flags name an extension, but there is none' : 'an extension that no flag names',
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

/** Flags, size, blocks and buffer are those of the row. */
function byForm(slot: Slot, form: SlotForm): string | null {
  const { mass } = slot.anchor
  const { least, most } = LIMITS.get(form)!
  const allowed: readonly string[] = [...form.has, ...form.may]
  const foreign = flagNames('DATA_CLASS', slot.anchor.data_class).find(name => !allowed.includes(name))
  const rule = blockRule(slot, form)
  return (
    first([
      [foreign === undefined, `flag ${foreign} on a ${form.name}`],
      [form.kmax || slot.kmax === 0, `highest shell ${slot.kmax} of a ${form.name}`],
      [mass >= least && mass <= most, `mass ${mass} of a ${form.name}`],
      [form.mass.unit !== 'whole blocks' || mass % BLOCK === 0n, `mass ${mass} of a ${form.name}`],
    ]) ??
    (fits(slot, rule) ? null : `${slot.attributes.blocks} blocks for ${mass} bytes of a ${form.name}`) ??
    buffer(slot, form)
  )
}

/** A tombstone's blocks go while its size stays; a truncated file may own more than its size. */
function blockRule(slot: Slot, form: SlotForm): BlockRule {
  if (slot.has('TOMBSTONE')) return form.tombstone
  return (slot.has('TRUNCATING') ? form.truncating : undefined) ?? form.blocks
}

function fits(slot: Slot, rule: BlockRule): boolean {
  const { blocks } = slot.attributes
  const content = slot.contentBlocks
  switch (rule) {
    case 'none':
      return blocks === 0
    case 'content':
      return blocks === content
    case 'at least content':
      return blocks >= content
    case 'copies of content':
      return blocks === content * (slot.dirState().gravity_1 === 0 ? 1 : 2)
    case 'any':
      return true
  }
}

function buffer(slot: Slot, form: SlotForm): string | null {
  switch (form.buffer) {
    case 'zero':
      return isZero(slot.anchor.inline_buffer) ? null : 'inline_buffer is not zero'
    case 'content':
      return isZero(slot.anchor.inline_buffer, Number(slot.anchor.mass))
        ? null
        : 'inline_buffer behind the content is not zero'
    case 'file state':
      return fileState(slot)
    case 'directory state':
      return directoryState(slot)
  }
}

function fileState(slot: Slot): string | null {
  const state = slot.fileState()
  const { blocks } = slot.attributes
  const isLeaving = slot.has('TOMBSTONE') || slot.has('TRUNCATING')
  return first([
    [state.height <= 3, `presence height ${state.height}`],
    [blocks !== 0 || (state.root === 0n && state.gravity_1 === 0), 'presence without blocks'],
    [isLeaving || blocks === 0 || state.root !== 0n, 'blocks without presence'],
  ])
}

function directoryState(slot: Slot): string | null {
  const blocks = slot.contentBlocks
  const state = slot.dirState()
  const basics = first([
    [state.gravity_1 === 0 || slot.anchor.gravity_center !== 0n, 'copy 1 without copy 0'],
    [state.depth <= constant('DIR_DEPTH_MAX'), `index depth ${state.depth}`],
  ])
  if (basics || slot.has('TOMBSTONE')) return basics
  const indexed = state.depth !== 0
  const indexBlocks = indexed ? Math.ceil(2 ** state.depth / constant('DIR_INDEX_ENTRIES')) : 0
  return first([
    [(state.entries === 0) === (blocks === 0), `${state.entries} entries in ${blocks} blocks`],
    [state.index_blocks === indexBlocks, `${state.index_blocks} index blocks for depth ${state.depth}`],
    [indexed === (state.index_first !== 0), `index_first ${state.index_first} with depth ${state.depth}`],
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
