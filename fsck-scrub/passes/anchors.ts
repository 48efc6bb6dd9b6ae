/**
 * Pass: every slot of cortex and stash holds nothing or a legal anchor, in a page where it may stand,
 * and no number twice. Fills the table of files.
 */
import { hex } from '../../src/base/bytes.ts'
import { Hn4Error } from '../../src/base/error.ts'
import { printableBytes } from '../../src/base/printable.ts'
import { constant } from '../../src/format/constants.ts'
import type { DirEntry } from '../../src/format/directory.ts'
import { FILE_TYPES, type Slot, slotNumber } from '../../src/format/slot.ts'
import { bucketsOf, checkedSlot, findAnchor, type SlotPlace, slotsOfPage } from '../../src/reader/cortex.ts'
import type { Check, FileRecord, Pass, Step } from '../check.ts'

async function run(check: Check, step: Step): Promise<void> {
  const { core } = check.volume
  // A page of the initialised map that is lost is a finding of the pages pass; anchors may be lost with it.
  const onLost = (): void => {
    check.isAnchorLost = true
    check.isCountable = false
  }
  for (const region of ['CORTEX', 'STASH'] as const) {
    for (const page of core.initialisedPages(region, onLost)) {
      if (step.isDue) await step.pause()
      step.add(1)
      checkPage(check, region, page)
    }
  }
  await nameDamaged(check, step)
  for (const number of [constant('INO_ROOT'), constant('INO_ORPHANS'), constant('INO_PUBLIC_IDS')]) {
    if (check.files.get(number)?.type !== FILE_TYPES.directory)
      check.add('SYSTEM_FILE', `system directory ${number} is missing`, { number })
  }
}

function checkPage(check: Check, region: SlotPlace['region'], page: number): void {
  try {
    for (const { place, bytes } of slotsOfPage(check.volume.core, region, page)) checkSlot(check, place, bytes)
  } catch (error) {
    // Reported by the pages pass; here only the anchors in it are unknown.
    if (!(error instanceof Hn4Error) || error.code !== 'PAGE') throw error
    check.isCountable = false
    check.isAnchorLost = true
  }
}

/** A damaged anchor does not say its path: the directories are searched for entries that name it. */
async function nameDamaged(check: Check, step: Step): Promise<void> {
  if (check.damagedAnchors.length === 0) return
  const wanted = check.damagedNumbers
  const paths = new Map<bigint, string>()
  for (const { number, hint, type } of check.files.values()) {
    if (step.isDue) await step.pause()
    if (type !== FILE_TYPES.directory) continue
    for (const entry of entriesOf(check, number, hint)) {
      const above = wanted.has(entry.number) ? check.paths.pathOfNumber(number, hint) : null
      if (above !== null) paths.set(entry.number, `${above === '/' ? '' : above}/${printableBytes(entry.name)}`)
    }
  }
  for (const { number, error } of check.damagedAnchors) {
    const path = paths.get(number)
    check.take(error, { number, ...(path !== undefined && { path }) })
  }
}

/** Entries of a directory as far as they can be read; damage is another pass's finding. */
function* entriesOf(check: Check, number: number, hint: number): Generator<DirEntry> {
  try {
    yield* check.volume.readDirectory(findAnchor(check.volume.core, number, hint), () => {})
  } catch (error) {
    if (!(error instanceof Hn4Error)) throw error
  }
}

function checkSlot(check: Check, place: SlotPlace, bytes: Uint8Array): void {
  let slot: Slot
  try {
    slot = checkedSlot(check.volume.core, bytes, place)
  } catch (error) {
    if (!(error instanceof Hn4Error)) throw error
    const damaged = slotNumber(bytes, 0)
    check.damagedAnchors.push({ number: damaged, error })
    check.damagedNumbers.add(damaged)
    check.isCountable = false
    return
  }
  const { number } = slot
  const where = `${place.region.toLowerCase()} page ${place.page}, slot ${place.slot}`
  const buckets = bucketsOf(check.volume.core, number, slot.anchor.hint)
  if (place.region === 'CORTEX' && place.page !== buckets.first && place.page !== buckets.second) {
    check.add(
      'CORTEX_PLACE',
      `file ${number}: anchor at ${where}, but its pages are ${buckets.first} and ${buckets.second}`,
      { number },
    )
  }
  const other = check.files.get(number)
  if (other) {
    const first = `${other.place.region.toLowerCase()} page ${other.place.page}, slot ${other.place.slot}`
    check.add('CORTEX_TWICE', `file ${number}: anchors at ${first} and at ${where}`, { number })
    return
  }
  if (BigInt(number) >= check.volume.core.counters.nextNumber) {
    check.add(
      'NUMBER',
      `file ${number}: the number was not given yet (next is ${check.volume.core.counters.nextNumber})`,
      { number },
    )
  }
  check.files.set(number, recordOf(slot, place))
}

export function recordOf(slot: Slot, place: SlotPlace): FileRecord {
  const { anchor, attributes } = slot
  const publicId = hex(anchor.public_id)
  return {
    number: slot.number,
    hint: anchor.hint,
    type: slot.typeNumber,
    nlink: attributes.nlink,
    blocks: attributes.blocks,
    size: anchor.mass,
    place,
    parent: Number(attributes.parent_number),
    isLeaving: slot.has('TOMBSTONE') || slot.has('TRUNCATING'),
    isWaiting: attributes.nlink === 0 || slot.has('TRUNCATING'),
    hasExtension: attributes.extension !== 0,
    publicId: publicId === hex(slot.seedId) ? null : publicId,
    found: 0,
    names: 0,
    subdirectories: 0,
    isOrphan: false,
  }
}

export const anchorsPass: Pass = { name: 'anchors', unit: 'items', run }
