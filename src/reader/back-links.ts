/** From a file to its path: the parent in its attributes, and the entry there that names it. */

import { Hn4Error } from '../base/error.ts'
import { printableBytes } from '../base/printable.ts'
import { constant } from '../format/constants.ts'
import { findAnchor, type Located } from './cortex.ts'
import type { Volume } from './volume.ts'

const DEPTH_MAX = 4096

/** System files that no entry names. */
const SYSTEM_NAMES = new Map([
  [constant('INO_ORPHANS'), '<orphans>'],
  [constant('INO_PUBLIC_IDS'), '<public ids>'],
  [constant('INO_LOST_FOUND'), '<lost+found>'],
  [constant('INO_QUARANTINE'), '<quarantine>'],
  [constant('INO_KEYS'), '<keys>'],
])

/** Finds paths, and remembers those of directories: many files share them. */
export class PathFinder {
  readonly #volume: Volume
  readonly #directories = new Map<number, string>()

  constructor(volume: Volume) {
    this.#volume = volume
  }

  /** One path of the file as printable text; null if no back-link leads to the root. */
  pathOf(file: Located): string | null {
    return this.#find(file, 0)
  }

  /** The path of file `number`, whose hint a descriptor or an entry gives; null if it cannot be told. */
  pathOfNumber(number: number, hint: number): string | null {
    try {
      return this.pathOf(findAnchor(this.#volume.core, number, hint))
    } catch (error) {
      if (error instanceof Hn4Error) return null
      throw error
    }
  }

  #find(file: Located, depth: number): string | null {
    const { number } = file.slot
    if (number === constant('INO_ROOT')) return '/'
    const system = SYSTEM_NAMES.get(number)
    if (system !== undefined) return system
    const known = this.#directories.get(number)
    if (known !== undefined) return known
    if (depth >= DEPTH_MAX) return null
    const found = this.#byParent(file, depth)
    if (found !== null && file.slot.type === 'directory') this.#directories.set(number, found)
    return found
  }

  #byParent(file: Located, depth: number): string | null {
    const { parent_number, parent_hint } = file.slot.attributes
    try {
      const parent = findAnchor(this.#volume.core, Number(parent_number), parent_hint)
      if (parent.slot.type !== 'directory') return null
      const above = this.#find(parent, depth + 1)
      if (above === null) return null
      for (const entry of this.#volume.readDirectory(parent, () => {})) {
        if (entry.number === file.slot.anchor.number)
          return `${above === '/' ? '' : above}/${printableBytes(entry.name)}`
      }
      return null
    } catch (error) {
      if (error instanceof Hn4Error) return null
      throw error
    }
  }
}
