/**
 * Writes test/vectors/{anchor,page,record,mkfs,slot-states}.json: records in hex beside their fields, read by the
 * tests of both languages. Run after a change of the format: node dist/test/tools/write-vectors.js
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hex } from '../../src/base/bytes.ts'
import { PACKAGE_TOP } from '../../src/base/package.ts'
import { blockNumber, copyPage, dataNumber, pageNumber, slotIndex } from '../../src/base/units.ts'
import { constant } from '../../src/format/constants.ts'
import { cortexBuckets } from '../../src/format/cortex.ts'
import { NO_RANDOM, NO_TAG, writeDescriptor } from '../../src/format/descriptor.ts'
import { nameHash } from '../../src/format/directory.ts'
import { PAGE_PAYLOAD } from '../../src/format/layout.ts'
import { encodeItem, type LogItem } from '../../src/format/log-item.ts'
import { encodePage } from '../../src/format/page.ts'
import { planGeometry } from '../../src/format/plan.ts'
import { encodeRecord } from '../../src/format/record.ts'
import { siphash24, sipKey } from '../../src/format/siphash.ts'
import {
  type AnchorFields,
  type AttributeFields,
  emptyAnchor,
  emptyAttributes,
  encodeSlot,
  seedIdBytes,
} from '../../src/format/slot.ts'
import { encodeSegment } from '../../src/format/trajectory.ts'
import { mkfsSum } from '../support/mkfs-sum.ts'
import { slotVectors } from './slot-vectors.ts'

const SALT = Uint8Array.from({ length: 16 }, (_, i) => 0xa0 + i)
const KEY = Uint8Array.from({ length: 16 }, (_, i) => i)

const NOTHING = new Uint8Array(0)

type Plain = Record<string, string | number>

/** Fields as JSON: bigints as decimal strings, bytes as hex. */
function plain(fields: Record<string, unknown>): Plain {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      if (value instanceof Uint8Array) return [name, hex(value)]
      return [name, typeof value === 'bigint' ? value.toString() : (value as number)]
    }),
  )
}

function save(name: string, document: object): void {
  writeFileSync(join(PACKAGE_TOP, 'test/vectors', name), `${JSON.stringify(document, null, 2)}\n`)
}

function anchor(changes: Partial<AnchorFields>): AnchorFields {
  const { public_id: _, ...empty } = emptyAnchor()
  const base = {
    ...empty,
    number: 4711n,
    hint: 42,
    random: 0xdeadbeef,
    permissions: 0o100644,
    mod_clock: 1_753_000_000_123_456_789n,
    write_gen: 7,
    create_clock: 1_753_000_000,
    ...changes,
  }
  return { public_id: seedIdBytes(base.number, base.hint, base.random), ...base }
}

function attributes(changes: Partial<AttributeFields>): AttributeFields {
  return {
    ...emptyAttributes(),
    uid: 1000,
    gid: 100,
    nlink: 1,
    atime: 1_753_000_001_000_000_000n,
    ctime: 1_753_000_002_000_000_000n,
    btime_ns: 123_456_789,
    parent_number: 1n,
    ...changes,
  }
}

function inlineBuffer(text: string): Uint8Array {
  const bytes = new Uint8Array(constant('INLINE_MAX'))
  bytes.set(Buffer.from(text))
  return bytes
}

const CASES: readonly [string, AnchorFields, AttributeFields][] = [
  [
    'the worked example: a file of 10,000 bytes',
    anchor({ gravity_center: 5000n, mass: 10_000n, orbit_vector: 1 }),
    attributes({ blocks: 3 }),
  ],
  ['an empty file', anchor({ number: 16n, hint: 0, random: 1 }), attributes({})],
  ['inline content', anchor({ mass: 5n, data_class: 32n, inline_buffer: inlineBuffer('hello') }), attributes({})],
  ['a time before 1970', anchor({ mod_clock: -1n }), attributes({ atime: -1_000_000_000n })],
  ['an empty directory', anchor({ permissions: 0o40755 }), attributes({ nlink: 2 })],
]

function writeAnchors(): void {
  const key = sipKey(KEY)
  const pages = 512
  save('anchor.json', {
    hash_key: hex(KEY),
    cortex_pages: pages,
    slots: CASES.map(([title, a, b]) => {
      const { first, second } = cortexBuckets(key, Number(a.number), a.hint, pages)
      return { title, bytes: hex(encodeSlot(a, b)), anchor: plain(a), attributes: plain(b), h1: first, h2: second }
    }),
    names: ['a', 'README.md', 'ä', 'x'.repeat(255)].map(name => ({
      directory: 4711,
      name: hex(Buffer.from(name)),
      hash: nameHash(key, 4711, Buffer.from(name)).toString(),
    })),
    siphash: [0, 1, 7, 8, 9, 63].map(length => ({
      bytes: hex(Uint8Array.from({ length }, (_, i) => i)),
      hash: siphash24(
        key,
        Uint8Array.from({ length }, (_, i) => i),
      ).toString(),
    })),
  })
}

function writePages(): void {
  const descriptor = { owner: 4711n, index: 2, txn: 7, crc: 0x12345678, flags: 0, stored: 4096, hint: 42 }
  const descriptors = new Uint8Array(PAGE_PAYLOAD)
  writeDescriptor(planGeometry(16384), descriptors, 130, { ...descriptor, random: NO_RANDOM, tag: NO_TAG })
  const cortex = new Uint8Array(PAGE_PAYLOAD)
  cortex.set(encodeSlot(CASES[0]![1], CASES[0]![2]), 3 * constant('SLOT_SIZE'))
  const page = (title: string, region: number, number: number, txn: number, payload: Uint8Array): object => ({
    title,
    region,
    page: number,
    txn,
    salt: hex(SALT),
    bytes: hex(encodePage({ region, page: number, salt: SALT }, { payload, txn: BigInt(txn) })),
  })
  save('page.json', {
    pages: [
      page('descriptor page 1: descriptor of data block 130', 4, 1, 7, descriptors),
      page('cortex page 172: the worked example in slot 3', 5, 172, 9, cortex),
    ],
    descriptor: { data: 130, fields: plain(descriptor) },
    segment: {
      bytes: hex(
        encodeSegment({ first: 2 ** 40 + 5, length: 0x89abcdef, gravity: blockNumber(2 ** 43 + 77), copy: 1 }),
      ),
      first: 2 ** 40 + 5,
      length: 0x89abcdef,
      gravity: 2 ** 43 + 77,
      copy: 1,
    },
  })
}

function writeRecord(): void {
  const items: LogItem[] = [
    { kind: 'PAGE', page: copyPage(33), payload: new Uint8Array(4032).fill(0x11) },
    { kind: 'BIRTH', first: 30, count: 2 },
    {
      kind: 'SLOT',
      region: 'CORTEX',
      page: pageNumber(3),
      slot: slotIndex(4),
      bytes: encodeSlot(CASES[0]![1], CASES[0]![2]),
    },
    { kind: 'SLOT_CLEAR', region: 'STASH', page: pageNumber(1), slot: slotIndex(20), bytes: new Uint8Array(0) },
    {
      kind: 'DESCRIPTORS',
      data: dataNumber(100),
      owner: 4711n,
      index: 0,
      hint: 42,
      count: 3,
      flags: 0,
      stored: 4096,
      random: NOTHING,
      crcs: Uint8Array.from({ length: 12 }, (_, i) => i + 1),
      tags: NOTHING,
    },
    {
      kind: 'DESCRIPTORS',
      data: dataNumber(900),
      owner: 4712n,
      index: 7,
      hint: 0,
      count: 50,
      flags: 16,
      stored: 0,
      random: NOTHING,
      crcs: NOTHING,
      tags: NOTHING,
    },
    { kind: 'BLOCKS_FREE', first: 200, count: 70 },
    { kind: 'UNIT', unit: 17, bytes: new Uint8Array(256).fill(0x5a) },
    { kind: 'UNITS_FREE', first: 40, count: 3 },
  ]
  const fields = {
    epoch: 5n,
    txn: 1234n,
    salt: SALT,
    time: 1_753_000_000_000_000_000n,
    next_number: 4713n,
    live_blocks: 53n,
    files: 9n,
    units: 1n,
    previous_crc: 0x0badcafe,
  }
  save('record.json', {
    fields: plain(fields),
    items: items.map(item => ({ kind: item.kind, bytes: hex(encodeItem(item)) })),
    bytes: hex(encodeRecord(fields, items)),
  })
}

/** Volumes as mkfs makes them, by one number for all their bytes. */
function writeMkfs(): void {
  const cases = [
    {
      blocks: 4096,
      copies: 2,
      seed: '5e'.repeat(16),
      label: '',
      created: 1_700_000_000_123_456_789n,
      stride: 1,
      scale: 0,
    },
    { blocks: 4097, copies: 1, seed: '00'.repeat(15) + '01', label: 'one copy', created: 0n, stride: 5, scale: 1 },
    {
      blocks: 20_003,
      copies: 2,
      seed: 'ff'.repeat(16),
      label: 'Größe',
      created: 4_102_444_800_999_999_999n,
      stride: 1000,
      scale: 0,
    },
    {
      blocks: 300_000,
      copies: 2,
      seed: '0123456789abcdef'.repeat(2),
      label: 'x'.repeat(63),
      created: 1n,
      stride: 1,
      scale: 4,
    },
  ] as const
  save('mkfs.json', {
    volumes: cases.map(({ seed, created, ...rest }) => ({
      ...rest,
      seed,
      created: created.toString(),
      ...mkfsSum({ seed, created, ...rest }),
    })),
  })
}

writeAnchors()
writePages()
writeRecord()
writeMkfs()
save('slot-states.json', slotVectors())
