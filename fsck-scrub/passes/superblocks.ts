/** Pass: the four superblocks are valid, of one generation, and say the same. */
import { equalBytes } from '../../src/base/bytes.ts'
import { encodeSuperblock } from '../../src/format/superblock.ts'
import type { Check, Pass, Step } from '../check.ts'

async function run(check: Check, step: Step): Promise<void> {
  const { copies, chosen } = check.volume.core.superblocks
  for (const { position, block, problem, fields } of copies) {
    step.add(1)
    if (fields === null) {
      check.add('SUPERBLOCK', `superblock ${position}: ${problem}`, { block })
    } else if (fields.generation !== chosen.generation) {
      check.add('SUPERBLOCK', `superblock ${position}: generation ${fields.generation}, ${chosen.generation} counts`, {
        block,
      })
    } else if (
      !equalBytes(encodeSuperblock({ ...fields, position: 0 }), encodeSuperblock({ ...chosen, position: 0 }))
    ) {
      check.add('SUPERBLOCK', `superblock ${position}: differs from the one that counts`, { block })
    }
  }
}

export const superblocksPass: Pass = { name: 'superblocks', unit: 'items', total: () => 4, run }
