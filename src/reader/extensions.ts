/** Extension chains of a file: read whole, bounded by the region, each rule checked (docs/format.md section 6). */
import { Hn4Error } from '../base/error.ts'
import { constant, type ExtensionName, extensionType } from '../format/constants.ts'
import { type ExtensionRecord, readExtension, readXattrs, type Xattr } from '../format/extension.ts'
import { EXTENSIONS } from '../format/layout.ts'
import { bitOf, isLater } from '../format/page.ts'
import type { Slot } from '../format/slot.ts'
import { CHAIN_FLAGS } from '../format/slot-forms.ts'
import { decodeSegment, SEGMENT_SIZE, type Segment, segmentProblem, sortSegments } from '../format/trajectory.ts'
import type { Core } from './core.ts'

export interface ChainRecord extends ExtensionRecord {
  /** Its first unit. */
  readonly unit: number
}

const BITS = constant('MAP_BITS_PER_PAGE')
const PER_PAGE = constant('UNITS_PER_PAGE')
/** Most bytes of a type's payload; segments are bounded by the region only. */
const PAYLOAD_MAX = EXTENSIONS.filter(([name]) => name !== 'SEGMENTS').map(
  ([name]) => [name, name === 'SYMLINK' ? constant('SYMLINK_MAX') : 2 ** 20] as const,
)

export function isUnitUsed(core: Core, unit: number): boolean {
  return bitOf(core.pages.load('UNIT', Math.floor(unit / BITS)).payload, unit % BITS)
}

/** The records of a file in chain order. @throws Hn4Error EXTENSION, PAGE */
export function readChain(core: Core, slot: Slot): ChainRecord[] {
  const { number } = slot
  const wrong = (unit: number | bigint, cause: string): Hn4Error => new Hn4Error('EXTENSION', { number, unit, cause })
  const records: ChainRecord[] = []
  const visited = new Set<number>()
  let next = BigInt(slot.attributes.extension)
  while (next !== 0n) {
    if (next >= BigInt(core.limits.units)) throw wrong(next, 'outside the region')
    const unit = Number(next)
    const { payload, txn } = core.pages.load('EXTENSION', Math.floor(unit / PER_PAGE))
    const record = readExtension(payload, unit)
    if (typeof record === 'string') throw wrong(unit, record)
    if (isLater(record.fields.generation, txn)) throw wrong(unit, 'of a later transaction than its page')
    if (record.fields.owner !== slot.anchor.number) throw wrong(unit, `belongs to file ${record.fields.owner}`)
    for (let u = unit; u < unit + record.units; u++) {
      if (visited.has(u)) throw wrong(u, 'twice in the chain')
      visited.add(u)
      if (!isUnitUsed(core, u)) throw wrong(u, 'in the chain, but free in the unit map')
    }
    records.push({ ...record, unit })
    next = record.fields.next
  }
  checkFlags(slot, records, wrong)
  for (const [name, most] of PAYLOAD_MAX) {
    const type = extensionType(name)
    const bytes = records.reduce((sum, r) => sum + (r.fields.type === type ? r.payload.length : 0), 0)
    if (bytes > most) throw wrong(slot.attributes.extension, `${bytes} bytes of ${name}, at most ${most}`)
  }
  return records
}

/** HAS_SEGMENTS and its like say that the chain holds such a record, and only then it does. */
function checkFlags(
  slot: Slot,
  records: readonly ChainRecord[],
  wrong: (unit: number, cause: string) => Hn4Error,
): void {
  for (const [flag, name] of CHAIN_FLAGS) {
    const isThere = records.some(record => record.fields.type === extensionType(name))
    if (isThere !== slot.has(flag))
      throw wrong(
        slot.attributes.extension,
        `${name} record ${isThere ? 'without' : 'missing in spite of'} the flag ${flag}`,
      )
  }
}

/** The concatenated payload of the records of one type. */
export function payloadOf(records: readonly ChainRecord[], name: ExtensionName): Uint8Array {
  const type = extensionType(name)
  return new Uint8Array(Buffer.concat(records.filter(r => r.fields.type === type).map(r => r.payload)))
}

/** Segments in the order of copy and first index. @throws Hn4Error SEGMENT, EXTENSION, PAGE */
export function readSegments(core: Core, slot: Slot): Segment[] {
  if (!slot.has('HAS_SEGMENTS')) return []
  const payload = payloadOf(readChain(core, slot), 'SEGMENTS')
  const { number } = slot
  if (payload.length % SEGMENT_SIZE !== 0)
    throw new Hn4Error('SEGMENT', { number, first: 0, cause: `payload of ${payload.length} bytes` })
  const segments: Segment[] = []
  for (let at = 0; at < payload.length; at += SEGMENT_SIZE) {
    const segment = decodeSegment(payload, at)
    const cause = segmentProblem(core.window, segment)
    if (cause !== null) throw new Hn4Error('SEGMENT', { number, first: segment.first, cause })
    segments.push(segment)
  }
  const overlap = sortSegments(segments)
  if (overlap) throw new Hn4Error('SEGMENT', { number, first: overlap.first, cause: 'overlaps another' })
  return segments
}

/** Extended attributes. @throws Hn4Error EXTENSION, PAGE */
export function readFileXattrs(core: Core, slot: Slot): Xattr[] {
  if (!slot.has('HAS_XATTR')) return []
  const entries = readXattrs(payloadOf(readChain(core, slot), 'XATTR'))
  if (typeof entries === 'string')
    throw new Hn4Error('EXTENSION', { number: slot.number, unit: slot.attributes.extension, cause: entries })
  return entries
}

/** Target of a symlink. @throws Hn4Error EXTENSION, PAGE */
export function readSymlink(core: Core, slot: Slot): Uint8Array {
  const length = Number(slot.anchor.mass)
  if (slot.has('INLINE')) return slot.anchor.inline_buffer.subarray(0, length)
  const target = payloadOf(readChain(core, slot), 'SYMLINK')
  if (target.length === length && !target.includes(0)) return target
  const cause = `symlink target of ${target.length} bytes, ${length} expected`
  throw new Hn4Error('EXTENSION', { number: slot.number, unit: slot.attributes.extension, cause })
}
