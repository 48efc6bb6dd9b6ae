/**
 * Hostile images: fields changed as an attacker would, every checksum made right again. Reading and
 * checking them ends, in bounded time, with bytes or with errors of ours. Replay a failure with HN4_SEED.
 */
import t from 'tap'
import { Check, Step } from '../../fsck-scrub/check.ts'
import { Findings } from '../../fsck-scrub/finding.ts'
import { FSCK_PASSES } from '../../fsck-scrub/passes/all.ts'
import { Hn4Error } from '../../src/base/error.ts'
import { blockNumber } from '../../src/base/units.ts'
import { constant } from '../../src/format/constants.ts'
import { crc32c } from '../../src/format/crc32c.ts'
import { readDescriptor, writeDescriptor } from '../../src/format/descriptor.ts'
import { copyPages } from '../../src/format/geometry.ts'
import { anchorChecksum, attributesChecksum } from '../../src/format/slot.ts'
import { Volume } from '../../src/reader/volume.ts'
import { editPage, pageAt } from '../support/edit.ts'
import { sample } from '../support/sample.ts'

const SEED = Number(process.env['HN4_SEED'] ?? 4711)
const ROUNDS = Number(process.env['HN4_ROUNDS'] ?? 60)
const SLOT = constant('SLOT_SIZE')

class Random {
  #state: number
  constructor(seed: number) {
    this.#state = seed >>> 0 || 1
  }
  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0
    return Math.floor((this.#state / 2 ** 32) * limit)
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }
}

/** A byte, a run of 0xff, zeros, or a small number where a field may be. */
function mutate(random: Random, bytes: Uint8Array, from: number, to: number): void {
  const at = from + random.below(to - from)
  const length = Math.min(random.pick([1, 1, 2, 4, 8]), to - at)
  const value = random.pick([0, 0xff, random.below(256), 1, 2])
  bytes.fill(value, at, at + length)
}

function checksumSlot(slot: Uint8Array): void {
  const view = new DataView(slot.buffer, slot.byteOffset, slot.length)
  view.setUint32(0x60, anchorChecksum(slot), true)
  view.setUint32(SLOT - 4, attributesChecksum(slot), true)
}

type Made = ReturnType<typeof sample>

/** Changes one metadata page, or a directory or presence block together with its descriptor. */
function damage(random: Random, { builder }: Made, pages: readonly number[]): void {
  const { region, page } = pageAt(builder, random.pick(pages))
  if (region === 'CORTEX' || region === 'STASH') {
    editPage(builder, region, page, payload => {
      const used = Array.from({ length: 21 }, (_, i) => i).filter(i => payload[i * SLOT] !== 0)
      const at = (random.below(3) > 0 && used.length > 0 ? random.pick(used) : random.below(21)) * SLOT
      const slot = payload.subarray(at, at + SLOT)
      mutate(random, slot, 0, SLOT)
      checksumSlot(slot)
    })
    return
  }
  if (region === 'DESCRIPTOR' && random.below(2) === 0) {
    damageContent(random, builder, page)
    return
  }
  editPage(builder, region, page, payload => mutate(random, payload, 0, 4032))
}

/** Changes the bytes of a live block and makes its descriptor agree. */
function damageContent(random: Random, builder: Made['builder'], page: number): void {
  editPage(builder, 'DESCRIPTOR', page, payload => {
    const { geometry: g } = builder
    const data = page * g.descriptorsPerPage + random.below(g.descriptorsPerPage)
    const block = g.windowStart + data
    const bytes = builder.image.block(block).slice()
    mutate(random, bytes, 0, random.pick([64, 4096]))
    builder.image.write(blockNumber(block), bytes)
    writeDescriptor(g, payload, data, { ...readDescriptor(g, payload, data), crc: crc32c(bytes) })
  })
}

function readEverything(volume: Volume): void {
  let budget = 5000
  for (const item of volume.walk()) {
    if (--budget < 0) return
    const { file } = item
    if (!file) continue
    try {
      volume.xattrs(file)
      if (file.slot.type === 'symlink') volume.readlink(file)
      if (file.slot.type !== 'regular') continue
      let pieces = 0
      for (const _ of volume.readFile(file)) if (++pieces > 8) break
    } catch (error) {
      if (!(error instanceof Hn4Error)) throw error
    }
  }
}

async function checkEverything(volume: Volume): Promise<void> {
  const check = new Check(volume, new Findings(() => {}))
  const step = new Step(() => {}, new AbortController().signal)
  for (const pass of FSCK_PASSES) {
    check.pass = pass.name
    await pass.run(check, step)
  }
}

t.test('hostile images give bytes or errors, never anything else', async t => {
  t.comment(`HN4_SEED=${SEED} HN4_ROUNDS=${ROUNDS}`)
  const random = new Random(SEED)
  for (let round = 0; round < ROUNDS; round++) {
    const made = sample('in place')
    const { image, geometry: g } = made.builder
    const pages = image.written.filter(block => block >= g.copyA && block < g.copyA + copyPages(g))
    for (let i = random.below(6); i >= 0; i--) damage(random, made, pages)
    try {
      const volume = new Volume(image)
      readEverything(volume)
      await checkEverything(volume)
    } catch (error) {
      if (!(error instanceof Hn4Error)) {
        t.fail(`round ${round}: ${(error as Error).stack}`)
        return
      }
    }
  }
  t.pass(`${ROUNDS} images`)
})
