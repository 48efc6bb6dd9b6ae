/** What src/writer does that built volumes do not show: the end of the ring, a full log, full pages. */
import t from 'tap'
import { makeIdentity } from '../../mkfs/identity.ts'
import { writeVolume } from '../../mkfs/write-volume.ts'
import { constant } from '../../src/format/constants.ts'
import { ringBlocks } from '../../src/format/geometry.ts'
import { planGeometry } from '../../src/format/plan.ts'
import { sipKey } from '../../src/format/siphash.ts'
import { Volume } from '../../src/reader/volume.ts'
import { LogWriter } from '../../src/writer/log.ts'
import { SlotTable } from '../../src/writer/slots.ts'
import { MemoryImage } from '../support/memory-image.ts'

const identity = makeIdentity({ label: 'log', seed: new Uint8Array([9]), createdNs: 1n })
const geometry = planGeometry(4096)
const ring = ringBlocks(geometry)
const counters = { next_number: 16n, live_blocks: 0n, files: 3n, units: 0n }

/** An empty volume, and a writer whose first record goes to log block `at`. */
function openLog(at: number): { image: MemoryImage; log: LogWriter } {
  const image = new MemoryImage(4096)
  writeVolume(image, geometry, identity, 4096)
  const start = { epoch: 2n, txn: 2n, at, previousCrc: 0, generation: 1n, counters }
  const log = new LogWriter(image, geometry, identity.salt, start)
  log.checkpoint()
  return { image, log }
}

/** An item of a unit takes 272 bytes, the header of a record 112. */
const UNITS_PER_BLOCK = 14

/** Appends a record of `units` extension units. */
function append(log: LogWriter, units: number): void {
  const items = Array.from({ length: units }, (_, i) => {
    return { kind: 'UNIT', unit: i + 1, bytes: new Uint8Array(constant('UNIT_SIZE')).fill(i + 1) } as const
  })
  log.append(items, { ...counters, units: BigInt(units) }, 0n)
}

const NO_ROOM = { message: /^log: no room/ }

t.test('a record that meets the end of the ring goes on at its start', async t => {
  const { image, log } = openLog(ring - 1)
  append(log, 3 * UNITS_PER_BLOCK)
  append(log, 1)
  log.checkpoint()
  const { core } = new Volume(image)
  const [first, second] = core.transactions
  t.equal(first?.at, ring - 1)
  t.equal(first?.fields.blocks, 3)
  t.equal(second?.at, 2)
  t.equal(core.pages.load('EXTENSION', 2).payload[0], 30, 'unit 30 is the first of its page')
})

t.test('a full log refuses a record until its tail has moved', async t => {
  const { image, log } = openLog(5)
  let used = 0
  for (; used + 3 < ring; used += 3) append(log, 3 * UNITS_PER_BLOCK)
  t.throws(() => append(log, (ring - used) * UNITS_PER_BLOCK), NO_ROOM, 'one block stays free')
  const { txn } = log
  log.moveTail()
  log.checkpoint()
  append(log, 1)
  log.checkpoint()
  t.strictSame(
    new Volume(image).core.transactions.map(transaction => transaction.fields.txn),
    [txn],
    'what was refused left no trace',
  )
})

t.test('a record of more than a quarter of the ring is refused', async t => {
  const { log } = openLog(0)
  t.throws(() => append(log, 4 * ring), NO_ROOM, '16 units for each block of a quarter')
  append(log, 1)
})

t.test('an anchor takes the lowest free slot of its pages, and none when both are full', async t => {
  const perPage = constant('SLOTS_PER_PAGE')
  const pages = constant('NEIGHBOURHOOD_PAGES')
  const table = new SlotTable(sipKey(identity.hashKey), pages)
  const places = new Set<string>()
  const refused: number[] = []
  for (let number = 16; number < 16 + 2 * pages * perPage; number++) {
    const place = table.slotOf(number, 0)
    if (place === null) refused.push(number)
    else places.add(`${place.page}:${place.slot}`)
    t.strictSame(table.slotOf(number, 0), place, 'asked again, the same')
  }
  t.equal(places.size, pages * perPage, 'every slot is taken, by one each')
  t.equal(places.size + refused.length, 2 * pages * perPage)
})
