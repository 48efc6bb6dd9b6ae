/** Pass: collects the files below one path, for checks of a part of a volume. */
import type { Located } from '../../src/reader/cortex.ts'
import type { Check, Pass, Step } from '../check.ts'
import { recordOf } from './anchors.ts'

export function subtreePass(path: string, only: Set<number>): Pass {
  const take = (check: Check, { slot, place }: Located): void => {
    only.add(slot.number)
    check.files.set(slot.number, recordOf(slot, place))
  }
  const run = async (check: Check, step: Step): Promise<void> => {
    check.isPartial = true
    const start = check.volume.lookup(path)
    take(check, start)
    if (start.slot.type !== 'directory') return
    for (const { file, path: below, error } of check.volume.walk(start, path.replace(/\/+$/, '') || '/')) {
      if (step.isDue) await step.pause()
      step.add(1)
      if (file) take(check, file)
      else check.take(error, { path: below })
    }
  }
  return { name: 'files', unit: 'items', run }
}
