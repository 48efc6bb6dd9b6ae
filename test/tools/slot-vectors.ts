/** test/vectors/slot-states.json: which cells of the table of legal forms are legal, and single departures from it. */
import { fromHex, hex } from '../../src/base/bytes.ts'
import { flag } from '../../src/format/constants.ts'
import { type AnchorFields, type AttributeFields, encodeSlot } from '../../src/format/slot.ts'
import { AXES, type Cell, cellFields, groupKey, legalCells } from '../support/slot-cells.ts'

const PLAIN: Cell = { type: 8, dataClass: 0n, mass: 0n, blocks: 0, nlink: 1, buffer: new Uint8Array(28) }
const OWNER: Cell = { ...PLAIN, mass: 4096n, blocks: 1 }
const LINK: Cell = { ...PLAIN, type: 10, dataClass: BigInt(flag('DATA_CLASS', 'LONG_SYMLINK')), mass: 29n }

/** A directory of three blocks, of which `first` is its index. */
const indexed = (first: number): Cell => ({
  ...PLAIN,
  type: 4,
  mass: 12288n,
  blocks: 3,
  nlink: 2,
  buffer: fromHex(`0000000000000100${first.toString(16).padStart(2, '0')}000000010000000200`.padEnd(56, '0'))!,
})

type Verdict = 'legal' | 'corrupt' | 'unsupported'
type Single = readonly [
  title: string,
  Verdict,
  Cell,
  anchor?: Partial<AnchorFields>,
  attributes?: Partial<AttributeFields>,
]

/** Fields that no axis of the table has. */
const SINGLES: readonly Single[] = [
  ['an empty file', 'legal', PLAIN],
  ['a file with a block', 'legal', OWNER],
  ['a long symlink', 'legal', LINK],
  ['number 0', 'corrupt', PLAIN, { number: 0n }],
  ['number 7', 'corrupt', PLAIN, { number: 7n }],
  ['number 15', 'corrupt', PLAIN, { number: 15n }],
  ['number 16', 'legal', PLAIN, { number: 16n }],
  ['the last number', 'legal', PLAIN, { number: 2n ** 53n - 1n }],
  ['number 2^53', 'corrupt', PLAIN, { number: 2n ** 53n }],
  ['a system file with a hint', 'corrupt', PLAIN, { number: 2n, random: 0 }],
  ['a system file with a random part', 'corrupt', PLAIN, { number: 2n, hint: 0 }],
  ...[0, 3, 5, 7, 9, 11, 13, 14, 15].map(
    (type): Single => [`type ${type}`, 'corrupt', PLAIN, { permissions: type << 12 }],
  ),
  ['immutable and append-only', 'legal', PLAIN, { permissions: 0x38000 }],
  ['a third capability', 'corrupt', PLAIN, { permissions: 0x48000 }],
  ['tag_filter', 'corrupt', PLAIN, { tag_filter: 1n }],
  ['sovereign_id', 'corrupt', PLAIN, { sovereign_id: 1 }],
  ['shell 2', 'corrupt', OWNER, { data_class: 2n << 12n }],
  ['an unknown flag', 'corrupt', PLAIN, { data_class: 1n << 27n }],
  ...(['ENCRYPTED', 'COMPRESSED', 'LUDIC', 'HAS_TAGS', 'SEALED'] as const).map(
    (name): Single => [name, 'unsupported', PLAIN, { data_class: BigInt(flag('DATA_CLASS', name)) }],
  ),
  ['a window', 'unsupported', PLAIN, { data_class: 1n << 16n }],
  ['copies', 'unsupported', PLAIN, { data_class: 1n << 24n }],
  ['a later flag and an unknown one', 'corrupt', PLAIN, { data_class: (1n << 2n) | (1n << 27n) }],
  ['a later flag on number 7', 'corrupt', PLAIN, { number: 7n, data_class: 4n }],
  ['a later flag and an illegal size', 'unsupported', PLAIN, { data_class: 4n, mass: 2n ** 60n }],
  ['rdev of a file', 'corrupt', PLAIN, {}, { rdev: 1 }],
  ['rdev of a device', 'legal', { ...PLAIN, type: 2 }, {}, { rdev: 0x103 }],
  ['rdev of a pipe', 'corrupt', { ...PLAIN, type: 1 }, {}, { rdev: 0x103 }],
  ['a birth time with a whole second', 'corrupt', PLAIN, {}, { btime_ns: 1_000_000_000 }],
  ['the last parent', 'legal', PLAIN, {}, { parent_number: 2n ** 53n - 1n }],
  ['parent 2^53', 'corrupt', PLAIN, {}, { parent_number: 2n ** 53n }],
  ['an extension that no flag announces', 'corrupt', PLAIN, {}, { extension: 1 }],
  ['a flag without an extension', 'corrupt', LINK, {}, { extension: 0 }],
  ['an extension outside its region', 'corrupt', LINK, {}, { extension: 100 }],
  ['the last unit', 'legal', LINK, {}, { extension: 99 }],
  ['no G of a file with a block', 'corrupt', OWNER, { gravity_center: 0n }],
  ['V 0 of a file with a block', 'corrupt', OWNER, { orbit_vector: 0 }],
  ['V at phi', 'corrupt', OWNER, { orbit_vector: 4099 }],
  ['M 12: no cluster fits', 'corrupt', OWNER, { fractal_scale: 12 }],
  ['M 13', 'corrupt', OWNER, { fractal_scale: 13 }],
  ['G before the window', 'corrupt', OWNER, { gravity_center: 4999n }],
  ['G on the last block of the window', 'legal', OWNER, { gravity_center: 9098n }],
  ['G behind the window', 'corrupt', OWNER, { gravity_center: 9099n }],
  ['G on no cluster', 'corrupt', OWNER, { gravity_center: 5008n, fractal_scale: 4 }],
  ['G on a cluster', 'legal', OWNER, { gravity_center: 5016n, fractal_scale: 4 }],
  ['G of a file without blocks', 'corrupt', PLAIN, { gravity_center: 5000n }],
  ['V of a file without blocks', 'corrupt', PLAIN, { orbit_vector: 1 }],
  ['M of a file without blocks', 'corrupt', PLAIN, { fractal_scale: 1 }],
  ['more blocks than the volume has', 'corrupt', { ...OWNER, mass: 4096n * 4400n, blocks: 4400 }],
  ['an index in block 1', 'legal', indexed(1)],
  ['an index in block 0', 'corrupt', indexed(0)],
  ['an index behind the directory', 'corrupt', indexed(3)],
  ['all blocks that the volume has', 'legal', { ...OWNER, mass: 4096n * 4399n, blocks: 4399 }],
]

export function slotVectors(): object {
  const legal: Record<string, string> = {}
  for (const type of AXES.types) {
    for (const dataClass of AXES.classes) {
      const cells = legalCells(AXES, type, BigInt(dataClass))
      if (cells !== '') legal[groupKey(type, dataClass)] = cells
    }
  }
  const singles = SINGLES.map(([title, verdict, cell, anchor, attributes]) => {
    const fields = cellFields(cell)
    return {
      title,
      verdict,
      bytes: hex(encodeSlot({ ...fields.anchor, ...anchor }, { ...fields.attributes, ...attributes })),
    }
  })
  return { axes: AXES, legal, singles }
}
