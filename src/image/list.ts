/** hn4 ls and hn4 tree. */

import { Hn4Error } from '../base/error.ts'
import { printable, printableBytes } from '../base/printable.ts'
import type { Command } from '../console/command.ts'
import type { Context } from '../console/context.ts'
import type { JsonObject } from '../console/json.ts'
import { columns } from '../console/table.ts'
import type { Located } from '../reader/cortex.ts'
import type { Volume } from '../reader/volume.ts'
import type { DamageReport } from './damage.ts'
import { findTyped, withTarget } from './target.ts'
import { deviceText, fileJson, modeText, nameJson, timeText } from './text.ts'

interface Row {
  readonly name: Uint8Array
  /** Null: its anchor is damaged. */
  readonly file: Located | null
  readonly target: string | null
}

function rowOf(volume: Volume, name: Uint8Array, find: () => Located, damage: DamageReport): Row {
  try {
    const file = find()
    const target = file.slot.type === 'symlink' ? printableBytes(volume.readlink(file)) : null
    return { name, file, target }
  } catch (error) {
    damage.add(error)
    return { name, file: null, target: null }
  }
}

function rowsOf(volume: Volume, file: Located, path: string, damage: DamageReport): Row[] {
  if (file.slot.type !== 'directory') return [rowOf(volume, new Uint8Array(Buffer.from(path)), () => file, damage)]
  const rows: Row[] = []
  for (const entry of volume.readDirectory(file, damage.add)) {
    rows.push(rowOf(volume, entry.name, () => volume.fileOfEntry(file.slot.number, entry), damage))
  }
  return rows.sort((a, b) => Buffer.compare(a.name, b.name))
}

function sizeText(file: Located, ctx: Context): string {
  const { rdev } = file.slot.attributes
  if (rdev !== 0) return deviceText(rdev)
  const { mass } = file.slot.anchor
  return ctx.options.flag('human') ? ctx.size(mass) : String(mass)
}

function longRow({ name, file, target }: Row, ctx: Context): string[] {
  const shown = printableBytes(name) + (target === null ? '' : ` -> ${target}`)
  if (file === null) return ['?', '?', '?', '?', '?', '?', '?', shown]
  const { uid, gid, nlink } = file.slot.attributes
  const time = timeText(file.slot.anchor.mod_clock).slice(0, 19)
  return [
    String(file.slot.number),
    modeText(file.slot),
    String(nlink),
    String(uid),
    String(gid),
    sizeText(file, ctx),
    time,
    shown,
  ]
}

const LONG = ['>inode', 'mode', '>links', '>uid', '>gid', '>size', 'modified (UTC)', 'name']
const DOT = 0x2e

function ls(ctx: Context): number {
  return withTarget(ctx, ctx.arg(0), (volume, { path }, damage) => {
    const all = rowsOf(volume, findTyped(volume, path), path, damage)
    const rows = ctx.options.flag('all') || ctx.isJson ? all : all.filter(row => row.name[0] !== DOT)
    if (ctx.isJson) {
      const entries = rows.map(row => ({
        ...nameJson(row.name),
        target: row.target ?? undefined,
        ...(row.file ? fileJson(row.file) : {}),
      }))
      ctx.json({ path, entries, errors: damage.json })
    } else if (ctx.options.flag('long')) {
      ctx.io.stdout.write(
        columns(
          LONG,
          rows.map(row => longRow(row, ctx)),
        ),
      )
    } else for (const row of rows) ctx.result(printableBytes(row.name))
    return damage.exitCode
  })
}

/** A directory that is being drawn. */
interface Open {
  readonly rows: readonly Row[]
  next: number
  readonly prefix: string
  readonly depth: number
  /** Filled as its rows are drawn. */
  readonly entries: JsonObject[]
}

/** Draws with a list of open directories, not by recursion: trees are as deep as programs make them. */
class Tree {
  readonly #volume: Volume
  readonly #ctx: Context
  readonly #damage: DamageReport
  readonly #seen = new Set<number>()
  readonly #deepest: number
  readonly #open: Open[] = []
  directories = 0
  files = 0

  constructor(volume: Volume, ctx: Context, damage: DamageReport) {
    this.#volume = volume
    this.#ctx = ctx
    this.#damage = damage
    this.#deepest = ctx.options.number('depth') ?? Number.POSITIVE_INFINITY
  }

  draw(directory: Located): JsonObject[] {
    const entries = this.#enter(directory, '', 1)
    for (let top = this.#open.at(-1); top !== undefined; top = this.#open.at(-1)) {
      const row = top.rows[top.next++]
      if (row === undefined) this.#open.pop()
      else this.#drawRow(row, top)
    }
    return entries
  }

  /** What will be filled with its entries. */
  #enter(directory: Located, prefix: string, depth: number): JsonObject[] {
    const entries: JsonObject[] = []
    const { number } = directory.slot
    if (this.#seen.has(number)) {
      this.#damage.add(new Hn4Error('DIRECTORY', { number, index: 0, cause: 'reached a second time' }))
      return entries
    }
    this.#seen.add(number)
    this.#open.push({ rows: rowsOf(this.#volume, directory, '', this.#damage), next: 0, prefix, depth, entries })
    return entries
  }

  #drawRow({ name, file, target }: Row, { rows, next, prefix, depth, entries }: Open): void {
    const isDirectory = file?.slot.type === 'directory'
    const isLast = next === rows.length
    if (isDirectory) this.directories++
    else this.files++
    const text = printableBytes(name)
    const shown = isDirectory ? this.#ctx.colour.blue(text) : text
    this.#ctx.print(`${prefix}${isLast ? '`-- ' : '|-- '}${shown}${target === null ? '' : ` -> ${target}`}`)
    const isBelow = file !== null && isDirectory && depth < this.#deepest
    entries.push({
      ...nameJson(name),
      type: file?.slot.type ?? 'unknown',
      number: file?.slot.number,
      target: target ?? undefined,
      entries: isBelow ? this.#enter(file, `${prefix}${isLast ? '    ' : '|   '}`, depth + 1) : undefined,
    })
  }
}

function tree(ctx: Context): number {
  return withTarget(ctx, ctx.arg(0), (volume, { path }, damage) => {
    const start = findTyped(volume, path)
    ctx.print(printable(path))
    const drawing = new Tree(volume, ctx, damage)
    const entries = start.slot.type === 'directory' ? drawing.draw(start) : []
    const { directories, files } = drawing
    ctx.print(`\n${directories} directories, ${files} files`)
    if (ctx.isJson) ctx.json({ path, entries, directories, files, errors: damage.json })
    return damage.exitCode
  })
}

export const lsCommand: Command = {
  name: 'ls',
  summary: 'list a directory of a volume without mounting it',
  exits: 'fsck',
  arguments: [{ name: 'IMAGE:/PATH', summary: 'directory or file inside the volume' }],
  options: [
    { name: 'long', short: 'l', kind: 'flag', summary: 'inode, mode, links, owner, size and time of each file' },
    { name: 'all', short: 'a', kind: 'flag', summary: 'also names that begin with a dot' },
    { name: 'human', kind: 'flag', summary: 'sizes with units' },
  ],
  examples: [
    { line: 'hn4 ls disk.img:/', meaning: 'the root directory' },
    { line: 'hn4 ls -l disk.img:/home/ann', meaning: 'with modes, owners and sizes' },
    { line: 'hn4 ls --json disk.img:/', meaning: 'for a program' },
  ],
  run: ls,
}

export const treeCommand: Command = {
  name: 'tree',
  summary: 'show the tree of a volume without mounting it',
  exits: 'fsck',
  arguments: [{ name: 'IMAGE:/PATH', summary: 'directory inside the volume' }],
  options: [{ name: 'depth', short: 'L', kind: 'count', value: 'LEVELS', summary: 'go no deeper than this' }],
  examples: [
    { line: 'hn4 tree disk.img', meaning: 'everything' },
    { line: 'hn4 tree -L 2 disk.img:/usr', meaning: 'two levels below /usr' },
    { line: 'hn4 tree --json disk.img:/', meaning: 'for a program' },
  ],
  run: tree,
}
