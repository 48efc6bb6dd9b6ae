/**
 * Pass: directories. Every block is a leaf that the index names or an index block of the chain, every
 * entry leads to a file of its type, every file has as many names as it says, a directory has one
 * name and the parent it says, and everything is reached from the root.
 */

import { Hn4Error } from '../../src/base/error.ts'
import { printableBytes } from '../../src/base/printable.ts'
import { constant } from '../../src/format/constants.ts'
import type { DirEntry, Leaf } from '../../src/format/directory.ts'
import { FILE_TYPES } from '../../src/format/slot.ts'
import { findAnchor, type Located } from '../../src/reader/cortex.ts'
import type { Check, FileRecord, Pass, Step } from '../check.ts'
import type { Finding } from '../finding.ts'

const ROOT = constant('INO_ROOT')
const ORPHANS = constant('INO_ORPHANS')
const PUBLIC_IDS = constant('INO_PUBLIC_IDS')
const SYSTEM_END = constant('INO_FIRST')

async function run(check: Check, step: Step): Promise<void> {
  for (const record of check.files.values()) {
    if (record.type !== FILE_TYPES.directory) continue
    await new DirectoryCheck(check, step, record).run()
  }
  checkTree(check)
  for (const record of check.files.values()) {
    if (step.isDue) await step.pause()
    checkNames(check, record)
  }
}

class DirectoryCheck {
  readonly #check: Check
  readonly #step: Step
  readonly #record: FileRecord
  #entries = 0

  constructor(check: Check, step: Step, record: FileRecord) {
    this.#check = check
    this.#step = step
    this.#record = record
  }

  async run(): Promise<void> {
    const before = this.#check.findings.errors
    let file: Located
    try {
      file = findAnchor(this.#check.volume.core, this.#record.number, this.#record.hint)
    } catch (error) {
      this.#check.take(error)
      return
    }
    const blocks = new Set<number>()
    try {
      for (const { leaf, block } of this.#check.volume.directory(file).leaves(error => this.#damage(error))) {
        if (blocks.has(block)) this.#wrong(block, 'a leaf twice in the index')
        blocks.add(block)
        await this.#leaf(leaf, block)
      }
    } catch (error) {
      if (!(error instanceof Hn4Error)) throw error
      this.#damage(error)
    }
    if (this.#check.findings.errors > before || this.#record.isLeaving) return
    this.#counts(file, blocks.size)
  }

  #place(): Partial<Finding> {
    return this.#check.placeOf(this.#record.number, this.#record.hint)
  }

  #damage(error: Hn4Error): void {
    this.#check.isNamesWhole = false
    this.#check.take(error, this.#place())
  }

  #wrong(index: number, cause: string): void {
    this.#check.take(new Hn4Error('DIRECTORY', { number: this.#record.number, index, cause }), this.#place())
  }

  async #leaf(leaf: Leaf, block: number): Promise<void> {
    const seen = new Set<string>()
    for (const entry of leaf.entries) {
      if (this.#step.isDue) await this.#step.pause()
      this.#step.add(1)
      this.#entries++
      const key = Buffer.from(entry.name).toString('latin1')
      if (seen.has(key)) this.#wrong(block, `the name "${printableBytes(entry.name)}" twice`)
      seen.add(key)
      this.#entry(entry)
    }
  }

  #entry(entry: DirEntry): void {
    const { number } = this.#record
    const record = this.#check.files.get(Number(entry.number))
    const name = printableBytes(entry.name)
    const place = (): Partial<Finding> => {
      const above = this.#place().path
      return { number: entry.number, ...(above !== undefined && { path: `${above === '/' ? '' : above}/${name}` }) }
    }
    const wrong = (cause: string): void => this.#check.take(new Hn4Error('ENTRY', { number, name, cause }), place())
    if (!record) {
      wrong(`leads to file ${entry.number}, whose anchor is missing or damaged`)
      return
    }
    if (record.hint !== entry.hint || record.type !== entry.type) {
      wrong(`hint or type differ from those of file ${entry.number}`)
      return
    }
    try {
      this.#check.volume.fileOfEntry(number, entry)
    } catch (error) {
      this.#check.take(error, place())
      return
    }
    if (number === ORPHANS) {
      record.isOrphan = true
      if (name !== entry.number.toString(16).padStart(16, '0')) wrong(`is not the name of file ${entry.number} here`)
    } else if (number === PUBLIC_IDS) {
      if (record.publicId !== name) wrong(`file ${entry.number} has another public id`)
      else this.#check.publicIds.add(name)
    } else this.#named(record, wrong)
  }

  #named(record: FileRecord, wrong: (cause: string) => void): void {
    record.names++
    if (record.type !== FILE_TYPES.directory) return
    if (record.number < SYSTEM_END && record.number !== constant('INO_LOST_FOUND'))
      wrong(`a name of system file ${record.number}`)
    if (record.names > 1) wrong(`a second name of directory ${record.number}`)
    if (record.parent !== this.#record.number)
      wrong(`directory ${record.number} says that its parent is ${record.parent}`)
    this.#record.subdirectories++
  }

  #counts(file: Located, leaves: number): void {
    const state = file.slot.dirState()
    const blocks = file.slot.contentBlocks
    if (state.entries !== this.#entries) this.#wrong(0, `${this.#entries} entries, its anchor says ${state.entries}`)
    if (leaves + state.index_blocks !== blocks)
      this.#wrong(0, `${leaves} leaves and ${state.index_blocks} index blocks are ${blocks} blocks in its anchor`)
  }
}

/** Each directory reaches the root through its parents: no cycles apart from the tree. */
function checkTree(check: Check): void {
  const good = new Set<number>([ROOT])
  for (const record of check.files.values()) {
    if (record.type !== FILE_TYPES.directory || record.number < SYSTEM_END || record.isOrphan) continue
    const chain: number[] = []
    const seen = new Set<number>()
    let at: FileRecord | undefined = record
    while (at && !good.has(at.number) && !seen.has(at.number) && !at.isOrphan) {
      seen.add(at.number)
      chain.push(at.number)
      at = check.files.get(at.parent)
    }
    if (at && seen.has(at.number)) {
      check.add('TREE', `directory ${record.number}: its parents form a circle`, { number: record.number })
    }
    for (const number of chain) good.add(number)
  }
}

function checkNames(check: Check, record: FileRecord): void {
  const { number, type, nlink } = record
  const place = (): Partial<Finding> => check.placeOf(number, record.hint)
  if (record.publicId !== null && !check.publicIds.has(record.publicId) && check.isNamesWhole) {
    check.add(
      'PUBLIC_ID',
      `file ${number}: its public id ${record.publicId} is not entered in the directory of ids`,
      place(),
    )
  }
  if (number < SYSTEM_END || !check.isNamesWhole) return
  if (record.names === 0 && !record.isOrphan) {
    check.add('UNREACHED', `file ${number}: no name leads to it`, { number })
    return
  }
  const expected = type === FILE_TYPES.directory && record.names > 0 ? 2 + record.subdirectories : record.names
  if (nlink !== expected) check.add('LINKS', `file ${number}: ${expected} links, its anchor says ${nlink}`, place())
  if (record.isWaiting && !record.isOrphan) {
    const why = nlink === 0 ? 'no links' : 'a truncation is unfinished'
    check.add('ORPHAN', `file ${number}: ${why}, but not in the orphan directory`, place())
  }
  if (!record.isWaiting && record.isOrphan)
    check.add('ORPHAN', `file ${number}: in the orphan directory, but nothing of it waits to be freed`, place())
}

/** The root's links are checked like those of any directory. */
export const namesPass: Pass = {
  name: 'names',
  unit: 'items',
  total: check => check.files.size,
  run: async (check, step) => {
    await run(check, step)
    const root = check.files.get(ROOT)
    if (root && check.isNamesWhole && root.nlink !== 2 + root.subdirectories) {
      check.add('LINKS', `root directory: ${2 + root.subdirectories} links, its anchor says ${root.nlink}`, {
        path: '/',
      })
    }
  },
}
