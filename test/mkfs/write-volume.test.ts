import t from 'tap'
import { makeIdentity } from '../../mkfs/identity.ts'
import { birthTime } from '../../mkfs/new-volume.ts'
import { writeVolume } from '../../mkfs/write-volume.ts'
import { Hn4Error } from '../../src/base/error.ts'
import { type BlockNumber, blockNumber } from '../../src/base/units.ts'
import { checkpointPlaces, type Geometry, superblockPlaces } from '../../src/format/geometry.ts'
import { planGeometry } from '../../src/format/plan.ts'
import { Volume } from '../../src/reader/volume.ts'
import type { BlockSink } from '../../src/writer/sink.ts'
import { MemoryImage } from '../support/memory-image.ts'
import { sample } from '../support/sample.ts'

const identity = makeIdentity({ label: 'x', seed: new Uint8Array([7]), createdNs: 12_345_678_901n })

type Event = { readonly block: BlockNumber; readonly bytes: Uint8Array } | 'flush'

class Recorder implements BlockSink {
  readonly events: Event[] = []
  write(block: BlockNumber, bytes: Uint8Array): void {
    for (let i = 0; i * 4096 < bytes.length; i++) {
      this.events.push({ block: blockNumber(block + i), bytes: bytes.slice(i * 4096, (i + 1) * 4096) })
    }
  }
  flush(): void {
    this.events.push('flush')
  }
}

function record(g: Geometry, deviceBlocks = g.blockCount): Event[] {
  const recorder = new Recorder()
  writeVolume(recorder, g, identity, deviceBlocks)
  return recorder.events
}

t.test('a volume on a device full of old bytes is empty and whole', async t => {
  for (const copies of [1, 2] as const) {
    for (const filler of [0, 0xff, 0x5a]) {
      const g = planGeometry(5000, { copies })
      const image = new MemoryImage(5000, filler)
      writeVolume(image, g, identity, 5000)
      const volume = new Volume(image)
      t.strictSame([...volume.walk()], [])
      t.equal(volume.core.counters.files, 3n)
      t.strictSame(
        volume.core.superblocks.copies.map(copy => copy.problem),
        [null, null, null, null],
      )
    }
  }
})

t.test('only what the format lists is written, and the log really is', async t => {
  const g = planGeometry(5000)
  const blocks = new Set(record(g).flatMap(event => (event === 'flush' ? [] : [Number(event.block)])))
  const log = Array.from({ length: g.logBlocks }, (_, i) => g.logStart + i)
  t.ok(log.every(block => blocks.has(block)))
  const ends = [...superblockPlaces(5000), ...checkpointPlaces(g, 0), ...checkpointPlaces(g, 1)]
  const others = [...blocks].filter(block => !log.includes(block) && !ends.includes(blockNumber(block)))
  const cortex = new Volume(sampleImage(g)).core.initialisedPages('CORTEX', () => {})
  t.equal(others.length, 2 * (g.pages.INIT + [...cortex].length))
})

function sampleImage(g: Geometry): MemoryImage {
  const image = new MemoryImage(g.blockCount)
  writeVolume(image, g, identity, g.blockCount)
  return image
}

t.test('cut off at any write, in any order between flushes, there is no volume or the whole one', async t => {
  const older = sample('in place').builder.image
  const g = planGeometry(older.blockCount)
  const events = record(g)
  let flushed = older.copy()
  let pending: Exclude<Event, 'flush'>[] = []
  const states = { none: 0, whole: 0 }
  const look = (image: MemoryImage, isStarted: boolean): void => {
    try {
      const volume = new Volume(image)
      const isNew = volume.core.superblocks.chosen.created === identity.createdNs
      if (!isNew && isStarted) t.fail('the old volume came back after its superblocks were gone')
      if (isNew) {
        states.whole++
        if ([...volume.walk()].length !== 0) t.fail('a new volume with old files')
      }
    } catch (error) {
      if (!(error instanceof Hn4Error)) throw error
      states.none++
    }
  }
  let flushes = 0
  for (const event of events) {
    if (event !== 'flush') {
      pending.push(event)
      continue
    }
    // Each single write alone, all but one, and every other one: the extremes of reordering.
    const sets = [[], pending, pending.filter((_, i) => i % 2 === 0), pending.slice(-1), pending.slice(0, -1)]
    for (const one of flushes === 1 ? [] : pending) sets.push([one])
    for (const set of sets) {
      const image = flushed.copy()
      for (const { block, bytes } of set) image.write(block, bytes)
      look(image, flushes > 0)
    }
    const next = flushed.copy()
    for (const { block, bytes } of pending) next.write(block, bytes)
    flushed = next
    pending = []
    flushes++
  }
  t.equal(flushes, 3)
  look(flushed, true)
  t.ok(states.none > 0 && states.whole > 0)
})

t.test('a smaller volume on a device that held a larger one: the old tail cannot win', async t => {
  const image = sample('in place').builder.image
  const larger = new MemoryImage(image.blockCount * 2)
  const old = planGeometry(larger.blockCount)
  writeVolume(larger, old, makeIdentity({ label: 'old', seed: new Uint8Array([9]), createdNs: 1n }), larger.blockCount)
  const g = planGeometry(image.blockCount)
  writeVolume(larger, g, identity, larger.blockCount)
  const volume = new Volume(larger)
  t.equal(volume.core.geometry.blockCount, g.blockCount)
  t.equal(volume.core.superblocks.copies.filter(copy => copy.problem === null).length, 4)
})

t.test('a birth outside its field is the nearest inside', async t => {
  t.strictSame(birthTime(-1n), [0, 0])
  t.strictSame(birthTime(1_000_000_002n), [1, 2])
  t.strictSame(birthTime(4_294_967_295_999_999_998n), [0xffff_ffff, 999_999_998])
  t.strictSame(birthTime(4_294_967_296_000_000_000n), [0xffff_ffff, 999_999_999])
})
