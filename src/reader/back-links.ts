/**
 * From a file to its path: the parent in its attributes, and the entry there that names it. A file that had several
 * names may have lost the one in that directory: then the whole tree is looked through.
 *
 * A check asks this once for each of its findings, so the cost must not be findings times the size of
 * directories, nor grow with what a hostile image claims:
 * - the path of a directory is found once, also where it cannot be told;
 * - the names of a directory are read once while they are remembered;
 * - the tree is looked through once, for all such files;
 * - all reading together has a limit; what is asked beyond it has no path.
 */

import { orNull } from '../base/error.ts'
import { printableBytes } from '../base/printable.ts'
import { constant } from '../format/constants.ts'
import { findAnchor, type Located } from './cortex.ts'
import type { Volume } from './volume.ts'

/** Names remembered, of all directories together and of each. */
const NAMES_KEPT = 1_000_000

/** Entries read for names at most: some ten seconds of work. */
const ENTRIES_READ_MAX = 20_000_000

/** A longer path helps nobody; trees may be deeper than any program can name. */
const PATH_LENGTH_MAX = 65_536

/** System files that no entry names. */
const SYSTEM_NAMES = new Map([
  [constant('INO_ORPHANS'), '<orphans>'],
  [constant('INO_PUBLIC_IDS'), '<public ids>'],
  [constant('INO_LOST_FOUND'), '<lost+found>'],
  [constant('INO_QUARANTINE'), '<quarantine>'],
  [constant('INO_KEYS'), '<keys>'],
])

/** Limits, for tests. */
export interface PathLimits {
  readonly namesKept?: number
  readonly entriesRead?: number
}

/** Finds paths, and remembers those of directories: many files share them. */
export class PathFinder {
  readonly #volume: Volume
  readonly #names: DirectoryNames
  /** Null: it cannot be told. */
  readonly #directories = new Map<number, string | null>()
  /** Paths of files that have a name elsewhere than where they say; undefined until one was asked for. */
  #strays: ReadonlyMap<number, string> | undefined
  readonly #entriesRead: number

  constructor(volume: Volume, limits: PathLimits = {}) {
    this.#volume = volume
    this.#names = new DirectoryNames(volume, limits)
    this.#entriesRead = limits.entriesRead ?? ENTRIES_READ_MAX
  }

  /** One path of the file as printable text; null if no back-link leads to the root. */
  pathOf(file: Located): string | null {
    // Up to what is known, then down again: a loop, for trees are as deep as programs make them.
    const chain: Located[] = []
    const seen = new Set<number>()
    let at: Located | null = file
    let path: string | null | undefined
    while (at !== null && path === undefined) {
      path = this.#known(at.slot.number)
      if (path !== undefined) break
      // A circle of parents.
      if (seen.has(at.slot.number)) at = null
      else {
        seen.add(at.slot.number)
        chain.push(at)
        at = this.#parentOf(at)
      }
    }
    let parent = at
    let found = path ?? null
    for (const below of chain.reverse()) {
      found = found === null || parent === null ? null : this.#join(parent, found, below)
      if (below.slot.type === 'directory') this.#directories.set(below.slot.number, found)
      parent = below
    }
    // A directory has one name, and its parent is where that is.
    return found ?? (file.slot.type === 'directory' ? null : this.#elsewhere(file))
  }

  #elsewhere({ slot }: Located): string | null {
    if (slot.attributes.nlink === 0) return null
    this.#strays ??= strays(this.#volume, this.#entriesRead)
    return this.#strays.get(slot.number) ?? null
  }

  /** The path of file `number`, whose hint a descriptor or an entry gives; null if it cannot be told. */
  pathOfNumber(number: number, hint: number): string | null {
    const file = orNull(() => findAnchor(this.#volume.core, number, hint))
    return file === null ? null : this.pathOf(file)
  }

  #known(number: number): string | null | undefined {
    if (number === constant('INO_ROOT')) return '/'
    return SYSTEM_NAMES.get(number) ?? this.#directories.get(number)
  }

  #parentOf(file: Located): Located | null {
    const { parent_number, parent_hint } = file.slot.attributes
    const parent = orNull(() => findAnchor(this.#volume.core, Number(parent_number), parent_hint))
    return parent?.slot.type === 'directory' ? parent : null
  }

  #join(parent: Located, above: string, file: Located): string | null {
    const name = this.#names.nameOf(parent, file.slot.anchor.number)
    if (name === null || above.length + name.length >= PATH_LENGTH_MAX) return null
    return `${above === '/' ? '' : above}/${name}`
  }
}

/**
 * By number, a path of each file that has a name in another directory than the one it says, among the first `limit`
 * names of the tree. Damage is passed over.
 */
function strays(volume: Volume, limit: number): ReadonlyMap<number, string> {
  const found = new Map<number, string>()
  let left = limit
  for (const { path, directory, file } of volume.walk()) {
    if (left-- <= 0 || found.size >= NAMES_KEPT) break
    if (file === null || file.slot.type === 'directory' || path.length >= PATH_LENGTH_MAX) continue
    if (Number(file.slot.attributes.parent_number) !== directory) found.set(file.slot.number, path)
  }
  return found
}

/** What is in directories, from number to name; the directories asked for last are remembered. */
class DirectoryNames {
  readonly #volume: Volume
  readonly #namesKept: number
  /** By number of the directory; the last used is the last one here. */
  readonly #directories = new Map<number, ReadonlyMap<bigint, string>>()
  #kept = 0
  #readable: number

  constructor(volume: Volume, { namesKept = NAMES_KEPT, entriesRead = ENTRIES_READ_MAX }: PathLimits) {
    this.#volume = volume
    this.#namesKept = namesKept
    this.#readable = entriesRead
  }

  /** The first name of a file in a directory; null if there is none, or too much was read already. */
  nameOf(directory: Located, file: bigint): string | null {
    const { number } = directory.slot
    const names = this.#directories.get(number) ?? this.#read(directory)
    this.#directories.delete(number)
    this.#directories.set(number, names)
    return names.get(file) ?? null
  }

  #read(directory: Located): ReadonlyMap<bigint, string> {
    const names = new Map<bigint, string>()
    if (this.#readable <= 0) return names
    // An empty or damaged one costs something too.
    this.#readable--
    orNull(() => {
      for (const { number, name } of this.#volume.readDirectory(directory, () => {})) {
        if (!names.has(number)) names.set(number, printableBytes(name))
        if (--this.#readable <= 0 || names.size >= this.#namesKept) break
      }
    })
    this.#kept += names.size + 1
    for (const [number, { size }] of this.#directories) {
      if (this.#kept <= this.#namesKept) break
      this.#directories.delete(number)
      this.#kept -= size + 1
    }
    return names
  }
}
