/** hn4 anchor: the identity of a file, byte by byte. */
import { hex, uuidText } from '../base/bytes.ts'
import { Hn4Error } from '../base/error.ts'
import { blockNumber } from '../base/units.ts'
import type { Command } from '../console/command.ts'
import type { Context } from '../console/context.ts'
import type { JsonObject } from '../console/json.ts'
import { columns, keyValues } from '../console/table.ts'
import { sizeOf } from '../format/codec.ts'
import { constant } from '../format/constants.ts'
import { pageInCopy } from '../format/geometry.ts'
import { ANCHOR, ATTRIBUTES, DIR_STATE, FILE_STATE, type Field } from '../format/layout.ts'
import { type Slot, seedIdBytes, slotChecksumProblem } from '../format/slot.ts'
import { findAnchor, type Located } from '../reader/cortex.ts'
import type { Volume } from '../reader/volume.ts'
import { findTyped, withTarget } from './target.ts'
import { flagsOf, modeText, timeText } from './text.ts'

type Value = number | bigint | Uint8Array

function shown(name: string, value: Value, slot: Slot): string {
  if (value instanceof Uint8Array) return name === 'public_id' ? uuidText(value) : hex(value)
  if (name === 'mod_clock' || name === 'atime' || name === 'ctime') return `${value} (${timeText(value as bigint)})`
  if (name === 'create_clock') return `${value} (${timeText(BigInt(value) * 1_000_000_000n)})`
  if (name === 'data_class') return `0x${value.toString(16)} (${flagsOf(slot).join(' ') || 'none'})`
  if (name === 'permissions') return `0${value.toString(8)} (${modeText(slot)})`
  if (name === 'checksum' || name === 'crc') return `${(value as number).toString(16).padStart(8, '0')} [match]`
  return String(value)
}

/** Where in the inline buffer state is kept instead of content. */
function stateOf(slot: Slot): { fields: readonly Field[]; values: Record<string, Value> } | null {
  if (slot.type === 'directory') return { fields: DIR_STATE.fields, values: { ...slot.dirState() } }
  if (slot.type === 'regular' && slot.has('SPARSE'))
    return { fields: FILE_STATE.fields, values: { ...slot.fileState() } }
  return null
}

function rowsOf(fields: readonly Field[], values: Record<string, Value>, base: number, slot: Slot): string[][] {
  return fields
    .filter(([name]) => values[name] !== undefined)
    .map(([name, offset, type]) => {
      const at = base + offset
      const bytes = hex(slot.bytes.subarray(at, at + sizeOf(type)))
      return [`0x${at.toString(16).padStart(2, '0')}`, name, bytes, shown(name, values[name]!, slot)]
    })
}

/** 16 bytes a line, as hexdump -C. */
function hexdump(bytes: Uint8Array): string {
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16)
    const cells = [...row].map(byte => byte.toString(16).padStart(2, '0'))
    const text = [...row].map(byte => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('')
    lines.push(
      `${at.toString(16).padStart(4, '0')}  ${cells.slice(0, 8).join(' ')}  ${cells.slice(8).join(' ')}  |${text}|`,
    )
  }
  return `${lines.join('\n')}\n`
}

function placeJson(volume: Volume, file: Located): JsonObject {
  const { geometry, pages } = volume.core
  const { region, page, slot } = file.place
  const target = pageInCopy(geometry, region, page)
  const copies = pages.copies.map(copy => ({
    copy,
    block: blockNumber((copy === 'A' ? geometry.copyA : geometry.copyB) + target),
  }))
  const role = region === 'STASH' ? 'stash' : page === file.buckets.first ? 'h1' : 'h2'
  return { region: region.toLowerCase(), page, slot, role, h1: file.buckets.first, h2: file.buckets.second, copies }
}

function anchor(ctx: Context): number {
  return withTarget(ctx, ctx.arg(0), (volume, { path }, damage) => {
    const file = findTyped(volume, path)
    const { slot, place, buckets } = file
    const problem = slotChecksumProblem(slot.bytes)
    if (ctx.isJson) {
      const plain = (values: object): JsonObject =>
        Object.fromEntries(
          Object.entries(values).map(([name, value]) => [name, value instanceof Uint8Array ? hex(value) : value]),
        )
      const state = stateOf(slot)
      ctx.json({
        path,
        place: placeJson(volume, file),
        bytes: hex(slot.bytes.subarray(0, ANCHOR.size)),
        attribute_bytes: hex(slot.bytes.subarray(ANCHOR.size)),
        checksums_match: problem === null,
        anchor: plain(slot.anchor),
        attributes: plain(slot.attributes),
        state: state ? plain(state.values) : null,
        flags: flagsOf(slot),
        errors: damage.json,
      })
      return damage.exitCode
    }
    const where = place.region === 'STASH' ? 'in the stash' : place.page === buckets.first ? 'H1' : 'H2'
    const blocks = volume.core.pages.copies.map(copy => {
      const start = copy === 'A' ? volume.core.geometry.copyA : volume.core.geometry.copyB
      return `block ${start + pageInCopy(volume.core.geometry, place.region, place.page)} (copy ${copy})`
    })
    ctx.io.stdout.write(
      keyValues([
        ['File', path],
        ['Place', `${place.region.toLowerCase()} page ${place.page}, slot ${place.slot}: ${where}`],
        ['Stands in', blocks.join(', ')],
        ['Pages', `H1 = ${buckets.first}, H2 = ${buckets.second} of ${volume.core.geometry.pages.CORTEX}`],
      ]),
    )
    ctx.io.stdout.write(`\n${hexdump(slot.bytes.subarray(0, ANCHOR.size))}\n`)
    const state = stateOf(slot)
    const rows = [
      ...rowsOf(ANCHOR.fields, { ...slot.anchor }, 0, slot),
      ...(state
        ? rowsOf(state.fields, state.values, ANCHOR.size - constant('INLINE_MAX'), slot).map(row => [
            row[0]!,
            `  ${row[1]}`,
            row[2]!,
            row[3]!,
          ])
        : []),
      ...rowsOf(ATTRIBUTES.fields, { ...slot.attributes }, ANCHOR.size, slot),
    ]
    ctx.io.stdout.write(columns(['offset', 'field', 'bytes', 'value'], rows))
    return damage.exitCode
  })
}

/** The file of a public id: entered in the system directory of changed ids, else the seed_id itself. */
export function fileOfPublicId(volume: Volume, id: Uint8Array): Located {
  const view = new DataView(id.buffer, id.byteOffset, 16)
  const directory = findAnchor(volume.core, constant('INO_PUBLIC_IDS'), 0)
  const entry = volume.directory(directory).lookup(new Uint8Array(Buffer.from(hex(id))))
  const unknown = new Hn4Error('NOT_FOUND', { text: `no file with the id ${uuidText(id)}` })
  if (entry) return volume.fileOfEntry(directory.slot.number, entry)
  const number = view.getBigUint64(0, true)
  if (number === 0n || number >= 2n ** 53n) throw unknown
  try {
    const file = findAnchor(volume.core, Number(number), view.getUint32(8, true))
    const own = seedIdBytes(number, view.getUint32(8, true), view.getUint32(12, true))
    if (hex(own) === hex(file.slot.anchor.public_id)) return file
  } catch (error) {
    if (!(error instanceof Hn4Error) || error.code !== 'ANCHOR_MISSING') throw error
  }
  throw unknown
}

export const anchorCommand: Command = {
  name: 'anchor',
  summary: "show a file's anchor: its 128 bytes, decoded, and where it stands",
  description: [
    'The anchor is what other filesystems call an inode; it holds the numbers of an equation instead of block pointers.',
  ],
  exits: 'fsck',
  arguments: [{ name: 'IMAGE:/PATH', summary: 'file inside the volume' }],
  examples: [
    { line: 'hn4 anchor disk.img:/etc/passwd', meaning: 'bytes, fields, page, slot, H1 and H2' },
    { line: 'hn4 anchor disk.img:/', meaning: 'the root directory' },
    { line: 'hn4 anchor --json disk.img:/a', meaning: 'for a program' },
  ],
  run: anchor,
}
