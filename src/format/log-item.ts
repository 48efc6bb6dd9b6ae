/** One item of a log record (docs/format.md section 7): decoded against the geometry, and encoded. */
import { type CopyPage, copyPage, type PageNumber, pageNumber, type SlotIndex, slotIndex } from '../base/units.ts'
import { decode, encode } from './codec.ts'
import { constant, itemType } from './constants.ts'
import { type DescriptorsItem, encodeDescriptors, readDescriptors } from './descriptors-item.ts'
import { copyPages, dataBlocks, type Geometry, regionNumber } from './geometry.ts'
import { below, ItemProblem, need, padded } from './item-body.ts'
import { ITEM_NUMBER, ITEM_RUN, ITEM_SLOT, LOG_ITEM, LOG_ITEMS, PAGE_PAYLOAD } from './layout.ts'

export interface SlotItem {
  readonly kind: 'SLOT' | 'SLOT_CLEAR'
  readonly region: 'CORTEX' | 'STASH'
  readonly page: PageNumber
  readonly slot: SlotIndex
  /** The 192 bytes; of SLOT_CLEAR, none. */
  readonly bytes: Uint8Array
}

export interface RunItem {
  readonly kind: 'BLOCKS_FREE' | 'UNITS_FREE' | 'BIRTH'
  readonly first: number
  readonly count: number
}

export interface UnitItem {
  readonly kind: 'UNIT'
  readonly unit: number
  readonly bytes: Uint8Array
}

export interface PageItem {
  readonly kind: 'PAGE'
  readonly page: CopyPage
  readonly payload: Uint8Array
}

export type LogItem = SlotItem | DescriptorsItem | RunItem | UnitItem | PageItem

/** Reads the item at the start of `rest`; its bytes are views. @throws ItemProblem, Hn4Error RESERVED */
export function readItem(rest: Uint8Array, g: Geometry): [LogItem, number] {
  if (rest.length < LOG_ITEM.size) throw new ItemProblem('cut off')
  const { type, size } = decode(LOG_ITEM, rest)
  if (size < LOG_ITEM.size || size % 8 !== 0 || size > rest.length) throw new ItemProblem(`size ${size}`)
  const kind = LOG_ITEMS.find(([, number]) => number === type)?.[0]
  if (kind === undefined) throw new ItemProblem(`unknown type ${type}`)
  return [readBody(kind, rest.subarray(LOG_ITEM.size, size), g), size]
}

type ItemKind = (typeof LOG_ITEMS)[number][0]

function readBody(kind: ItemKind, body: Uint8Array, g: Geometry): LogItem {
  switch (kind) {
    case 'SLOT':
    case 'SLOT_CLEAR':
      return readSlotItem(kind, body, g)
    case 'DESCRIPTORS':
      return readDescriptors(body, g)
    case 'BLOCKS_FREE':
      return readRun(kind, body, dataBlocks(g))
    case 'UNITS_FREE':
      return readRun(kind, body, units(g), 1)
    case 'BIRTH':
      return readRun(kind, body, copyPages(g), g.pages.INIT)
    case 'UNIT': {
      const number = readNumber(body, constant('UNIT_SIZE'), units(g))
      if (number === 0) throw new ItemProblem('unit 0')
      return { kind, unit: number, bytes: body.subarray(ITEM_NUMBER.size) }
    }
    case 'PAGE':
      return {
        kind,
        page: copyPage(readNumber(body, PAGE_PAYLOAD, copyPages(g))),
        payload: body.subarray(ITEM_NUMBER.size),
      }
  }
}

const units = (g: Geometry): number => g.pages.EXTENSION * constant('UNITS_PER_PAGE')

function readSlotItem(kind: 'SLOT' | 'SLOT_CLEAR', body: Uint8Array, g: Geometry): SlotItem {
  need(body, ITEM_SLOT.size + (kind === 'SLOT' ? constant('SLOT_SIZE') : 0))
  const fields = decode(ITEM_SLOT, body)
  const region = (['CORTEX', 'STASH'] as const).find(name => regionNumber(name) === fields.region)
  if (region === undefined) throw new ItemProblem(`slot in region ${fields.region}`)
  const page = pageNumber(below(fields.page, g.pages[region], 'page'))
  const slot = slotIndex(below(BigInt(fields.slot), constant('SLOTS_PER_PAGE'), 'slot'))
  return { kind, region, page, slot, bytes: body.subarray(ITEM_SLOT.size) }
}

function readRun(kind: RunItem['kind'], body: Uint8Array, limit: number, least = 0): RunItem {
  need(body, ITEM_RUN.size)
  const f = decode(ITEM_RUN, body)
  const first = below(f.first, limit, 'first')
  if (f.count === 0n) throw new ItemProblem('an empty run')
  if (first < least) throw new ItemProblem(`first ${first}, which no item may name`)
  below(f.first + f.count, limit + 1, 'end of the run')
  return { kind, first, count: Number(f.count) }
}

function readNumber(body: Uint8Array, content: number, limit: number): number {
  need(body, ITEM_NUMBER.size + content)
  return below(decode(ITEM_NUMBER, body).number, limit, 'number')
}

/** Bytes of an item with its header. */
export function encodeItem(item: LogItem): Uint8Array {
  const body = encodeBody(item)
  const size = padded(LOG_ITEM.size + body.length)
  const bytes = new Uint8Array(size)
  encode(LOG_ITEM, { type: itemType(item.kind), size }, bytes)
  bytes.set(body, LOG_ITEM.size)
  return bytes
}

function encodeBody(item: LogItem): Uint8Array {
  switch (item.kind) {
    case 'SLOT':
    case 'SLOT_CLEAR': {
      const body = new Uint8Array(ITEM_SLOT.size + item.bytes.length)
      encode(ITEM_SLOT, { page: BigInt(item.page), slot: item.slot, region: regionNumber(item.region) }, body)
      body.set(item.bytes, ITEM_SLOT.size)
      return body
    }
    case 'DESCRIPTORS':
      return encodeDescriptors(item)
    case 'UNIT':
      return numbered(item.unit, item.bytes)
    case 'PAGE':
      return numbered(item.page, item.payload)
    default: {
      const body = new Uint8Array(ITEM_RUN.size)
      encode(ITEM_RUN, { first: BigInt(item.first), count: BigInt(item.count) }, body)
      return body
    }
  }
}

function numbered(number: number, content: Uint8Array): Uint8Array {
  const body = new Uint8Array(ITEM_NUMBER.size + content.length)
  encode(ITEM_NUMBER, { number: BigInt(number) }, body)
  body.set(content, ITEM_NUMBER.size)
  return body
}
