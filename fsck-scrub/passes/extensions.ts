/** Pass: every extension chain is whole, units belong to one record, and the unit map says the same. */
import { Hn4Error } from '../../src/base/error.ts'
import { findAnchor } from '../../src/reader/cortex.ts'
import { readChain, readFileXattrs, readSegments, readSymlink } from '../../src/reader/extensions.ts'
import type { Check, FileRecord, Pass, Step } from '../check.ts'

async function run(check: Check, step: Step): Promise<void> {
  const owners = new Map<number, number>()
  let isWhole = !check.isAnchorLost && check.damagedAnchors.length === 0
  for (const record of check.files.values()) {
    if (step.isDue) await step.pause()
    step.add(1)
    if (record.hasExtension && !checkFile(check, record, owners)) isWhole = false
  }
  check.units = owners.size
  if (!check.isPartial) await checkMap(check, step, owners, isWhole)
}

/** Reads everything a chain may hold; false if the chain is damaged. */
function checkFile(check: Check, record: FileRecord, owners: Map<number, number>): boolean {
  const { core } = check.volume
  try {
    const { slot } = findAnchor(core, record.number, record.hint)
    for (const { unit, units } of readChain(core, slot)) {
      for (let u = unit; u < unit + units; u++) {
        const other = owners.get(u)
        if (other !== undefined)
          throw new Hn4Error('EXTENSION', {
            number: record.number,
            unit: u,
            cause: `also in the chain of file ${other}`,
          })
        owners.set(u, record.number)
      }
    }
    readSegments(core, slot)
    readFileXattrs(core, slot)
    if (slot.has('LONG_SYMLINK')) readSymlink(core, slot)
    return true
  } catch (error) {
    check.take(error, check.placeOf(record.number, record.hint))
    return false
  }
}

async function checkMap(
  check: Check,
  step: Step,
  owners: ReadonlyMap<number, number>,
  isWhole: boolean,
): Promise<void> {
  const { core } = check.volume
  // A page of the map that is lost is a finding of the pages pass.
  for (const unit of core.usedUnits(() => {})) {
    if (step.isDue) await step.pause()
    if (owners.has(unit)) continue
    if (unit === 0 || unit >= core.limits.units)
      check.add('UNIT_MAP', `unit map: unit ${unit} is marked, but must not be`)
    else if (isWhole) check.add('UNIT_LOST', `extension unit ${unit}: in use in the unit map, but in no chain`)
  }
}

export const extensionsPass: Pass = { name: 'extensions', unit: 'items', total: check => check.files.size, run }
