/** The overwrite area's index: its live descriptors by what they name, built once (docs/format.md section 4). */
import { isDamage } from '../base/error.ts'
import type { DataNumber } from '../base/units.ts'
import { copyNumber } from '../format/descriptor.ts'
import type { Core } from './core.ts'

const keyOf = (owner: bigint | number, index: number, copy: number): string => `${owner}:${index}:${copy}`

export class Overwrites {
  readonly #blocks = new Map<string, DataNumber>()
  /** Pages of maps or descriptors that could not be read: what they hold is not in the index. */
  readonly damage: unknown[] = []

  constructor(core: Core) {
    for (const data of core.liveBlocks(core.geometry.windowBlocks, core.dataBlocks, error => this.damage.push(error))) {
      try {
        const d = core.descriptor(data)
        this.#blocks.set(keyOf(d.owner, d.index, copyNumber(d)), data)
      } catch (error) {
        if (!isDamage(error)) throw error
        if (this.damage.at(-1) !== error && this.damage.length < 100) this.damage.push(error)
      }
    }
  }

  find(owner: number, index: number, copy: number): DataNumber | null {
    return this.#blocks.get(keyOf(owner, index, copy)) ?? null
  }
}
