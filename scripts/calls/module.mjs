// One folder of a Rust crate as rooms: its folders, and the files at its top level.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { Crate } from './crate.mjs'
import { circles, graphOf } from './graph.mjs'
import { trip } from './trips.mjs'
import { usesOf } from './uses.mjs'

/** The texts of all Rust files below a crate's `src`, by their path in it. */
export function readTexts(src) {
  const files = readdirSync(src, { recursive: true }).filter(file => file.endsWith('.rs'))
  return new Map(files.sort().map(file => [file, readFileSync(join(src, file), 'utf8')]))
}

/** The `src` of the crate that a folder lies in, and the folder's path below it. */
export function crateOf(folder) {
  let src = folder
  while (!['lib.rs', 'main.rs'].some(root => existsSync(join(src, root)))) {
    if (dirname(src) === src) throw new Error(`${folder}: no lib.rs above it`)
    src = dirname(src)
  }
  return { src, prefix: relative(src, folder) }
}

/** The module in the folder `prefix` of a crate given by its texts. */
export class Module {
  constructor(texts, prefix) {
    this.crate = new Crate(texts)
    this.prefix = prefix
    const { uses, ambiguous } = usesOf(this.crate)
    this.allUses = uses
    this.uses = uses.filter(use => use.isTie && this.has(use.from) && this.has(use.to))
    this.allAmbiguous = ambiguous
    this.ambiguous = ambiguous.filter(each => this.has(each.from))
  }

  has(file) {
    return file.startsWith(`${this.prefix}/`)
  }

  /** The folder's first name below the module, or the file's without `.rs`. */
  room(file) {
    return file
      .slice(this.prefix.length + 1)
      .split('/')[0]
      .replace(/\.rs$/, '')
  }

  file(file) {
    return file.slice(this.prefix.length + 1).replace(/\.rs$/, '')
  }

  /** Circles by imports, by calls and fields, and by both; of rooms or of files. */
  circles(nameOf) {
    const of = kinds =>
      circles(
        graphOf(
          this.uses.filter(use => kinds.includes(use.kind)),
          nameOf,
        ),
      )
    return { imports: of(['import']), calls: of(['call', 'field']), both: of(['import', 'call', 'field']) }
  }

  graph(nameOf) {
    return graphOf(this.uses, nameOf)
  }

  /** The struct that the module is about: the first of its mod.rs; its fields, methods and impl blocks. */
  struct() {
    const module = this.crate.modules.get(this.prefix.replaceAll('/', '::'))
    const def = [...module.names.values()].find(each => each.kind === 'type' && each.fields.length > 0)
    if (def === undefined) return undefined
    const blocks = this.crate.impls.filter(impl => impl.owner === def && impl.of === undefined)
    const methods = blocks.flatMap(block => block.items.filter(item => item.kind === 'fn'))
    const count = test => methods.filter(each => test(each.vis)).length
    return {
      name: def.name,
      fields: def.fields.length,
      publicFields: def.fields.filter(field => field.isPublic).length,
      implBlocks: blocks.length,
      implBlocksElsewhere: blocks.filter(block => !this.has(block.file)).length,
      methods: methods.length,
      publicMethods: count(vis => vis === 'pub'),
      sharedMethods: count(vis => vis !== 'pub' && vis !== ''),
      privateMethods: count(vis => vis === ''),
      usedFields: this.usedFields(def),
    }
  }

  /** Fields of a struct with the files of the module that name them. */
  usedFields(def) {
    const found = new Map(def.fields.map(field => [field.name, new Set()]))
    for (const fn of this.crate.fns) {
      if (!this.has(fn.file)) continue
      for (const event of fn.events ?? []) {
        if (event.kind === 'field' && event.owner === def) found.get(event.field.name).add(this.file(fn.file))
      }
    }
    return Object.fromEntries([...found].map(([name, files]) => [name, [...files].sort()]))
  }

  /**
   * A trip through this module and the ones beside it that `beside` names (the others are leaves for the
   * reader): rooms, files and moves.
   */
  trip(entry, beside) {
    const isIn = file => this.has(file) || beside.some(name => file.startsWith(`${name}/`))
    const { files, moves, steps } = trip(this.crate, entry, isIn)
    const rooms = new Set([...files.keys()].map(file => (this.has(file) ? `${this.prefix}/${this.room(file)}` : file)))
    const own = [...files.keys()].filter(file => this.has(file))
    return {
      files: Object.fromEntries([...files].sort((a, b) => b[1] - a[1])),
      fileCount: files.size,
      ownFiles: own.length,
      ownRooms: new Set(own.map(file => this.room(file))).size,
      rooms: [...rooms].sort(),
      moves,
      steps: steps.map(fn => ({ file: fn.file, name: fn.name, line: fn.line })),
    }
  }
}
