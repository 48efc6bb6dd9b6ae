/** Pass: where a page of anchors is lost, the directories tell which files stood there. */

import { Hn4Error } from '../../src/base/error.ts'
import { printableBytes } from '../../src/base/printable.ts'
import { FILE_TYPES } from '../../src/format/slot.ts'
import { findAnchor } from '../../src/reader/cortex.ts'
import type { Check, FileRecord, Pass, Step } from '../check.ts'

async function run(check: Check, step: Step): Promise<void> {
  if (!check.isAnchorLost) return
  for (const record of check.files.values()) {
    if (step.isDue) await step.pause()
    step.add(1)
    if (record.type === FILE_TYPES.directory) checkDirectory(check, record)
  }
}

function checkDirectory(check: Check, { number, hint }: FileRecord): void {
  try {
    const directory = findAnchor(check.volume.core, number, hint)
    for (const entry of check.volume.readDirectory(directory, () => {})) {
      if (check.files.has(Number(entry.number))) continue
      const above = check.paths.pathOfNumber(number, hint)
      const path = `${above === '/' || above === null ? '' : above}/${printableBytes(entry.name)}`
      check.add('FILE_LOST', `file ${entry.number}: its anchor is lost with a page of the cortex`, {
        number: entry.number,
        path,
      })
    }
  } catch (error) {
    // A directory that cannot be read was reported when its blocks were.
    if (!(error instanceof Hn4Error)) throw error
  }
}

export const lostFilesPass: Pass = {
  name: 'lost files',
  unit: 'items',
  total: check => (check.isAnchorLost ? check.files.size : 0),
  run,
}
