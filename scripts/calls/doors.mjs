// The doors of a folder: what others may use of it, named in the head of its mod.rs.
//
//   //! Doors: Space, Space::{reserve, release}, Credits::*, free_on_disk
//   //!
//
// Names are separated by commas up to an empty `//!` line. A function of a struct from outside (`Volume`)
// stands with its bare name or with the struct's; `Type::*` opens all of a type. What mod.rs gives on
// with `pub use` is a door without being listed.
import { defsIn, norm, scopeOf } from './infer.mjs'

/** The names behind `Doors:` in the head of a file; undefined: there is no such line. */
export function listedDoors(text) {
  const head = text.split('\n').filter((_, at, all) => all.slice(0, at + 1).every(each => /^\/\/!/.test(each)))
  const from = head.findIndex(line => /^\/\/! Doors:/.test(line))
  if (from < 0) return undefined
  const empty = head.findIndex((line, at) => at > from && /^\/\/!\s*$/.test(line))
  const lines = head.slice(from, empty < 0 ? head.length : empty).map(line => line.slice(3))
  const list = lines
    .join(' ')
    .replace(/^\s*Doors:/, '')
    .replace(/[`[\]]/g, '')
    .replace(/\.\s*$/, '')
  const names = list.match(/\w+(?:::(?:\w+|\*|\{[^}]*\}))?/g) ?? []
  return names.flatMap(name => {
    const group = /^(\w+)::\{([^}]*)\}$/.exec(name)
    return group === null ? [name] : group[2].split(',').map(each => `${group[1]}::${each.trim()}`)
  })
}

const startsWith = (path, prefix) => prefix.every((name, i) => path[i] === name)

/** The module within which a visibility holds, as a path. */
function reach(vis, module) {
  if (vis === '' || vis === 'pub(self)') return module.path
  if (vis === 'pub' || vis === 'pub(crate)') return []
  const path = vis.slice(4, -1).split('::')
  const ups = path.filter(name => name === 'super').length
  return ups > 0 ? module.path.slice(0, -ups) : path.slice(1)
}

class Folder {
  constructor(module, name) {
    this.module = module
    this.crate = module.crate
    this.path = [...module.prefix.split('/'), name]
    this.home = this.crate.modules.get(this.path.join('::'))
    const listed = listedDoors(this.crate.texts.get(this.home.file))
    this.hasList = listed !== undefined
    this.listed = listed ?? []
    this.reExported = new Set()
    for (const use of this.home.uses) {
      if (!this.isOpen(use.vis, this.home)) continue
      for (const wants of ['type', 'fn']) {
        const found = this.crate.resolve(this.home, use.path, wants)
        if (found?.rest.length === 0) this.reExported.add(found.def)
      }
    }
  }

  has(def) {
    return def.module !== undefined && startsWith(def.kind === 'mod' ? def.path : def.module.path, this.path)
  }

  /** Whether something of this visibility can be seen from outside the folder. */
  isOpen(vis, module) {
    return reach(vis, module).length < this.path.length
  }

  /** Whether an item can be named from outside. */
  isNameable(def) {
    if (this.reExported.has(def)) return true
    if (!this.isOpen(def.vis, def.module)) return false
    for (let module = def.module; module !== this.home; module = module.module) {
      if (!this.isOpen(module.vis, module.module)) return false
    }
    return true
  }

  isDoor(def) {
    if (def.kind === 'variant') return this.isDoor(def.type)
    if (def.kind === 'mod') return true
    const { owner } = def
    if (owner === undefined)
      return this.reExported.has(def) || this.listed.includes(def.name) || this.listed.includes(`${def.name}::*`)
    if (def.impl?.of !== undefined || owner.kind === 'trait') return true
    if (this.listed.includes(`${owner.name}::${def.name}`) || this.listed.includes(`${owner.name}::*`)) return true
    return !this.has(owner) && this.listed.includes(def.name)
  }

  /** Items and methods of the folder that others can see. */
  visible() {
    const items = [...this.crate.modules.values()]
      .filter(module => startsWith(module.path, this.path))
      .flatMap(module => [...module.names.values()])
    const isMethod = fn => fn.owner !== undefined && fn.owner.kind !== 'trait' && fn.impl.of === undefined
    const methods = this.crate.fns.filter(fn => isMethod(fn) && this.has(fn) && this.isOpen(fn.vis, fn.module))
    return {
      items: items.filter(def => this.isNameable(def)),
      methods: methods.filter(fn => !this.has(fn.owner) || this.isNameable(fn.owner)),
      all: [...items.filter(def => this.isOpen(def.vis, def.module)), ...methods],
    }
  }
}

const nameOf = def => (def.owner === undefined ? def.name : `${def.owner.name}::${def.name}`)

/** Definitions of the folder that others use, each with the first file that does. */
function usedFromOutside({ module, folder }) {
  const used = new Map()
  for (const { from, def } of module.allUses) {
    const isOutside = folder.has(def) && !folder.has({ module: moduleOf(module, from) })
    if (isOutside && !used.has(def)) used.set(def, from.replace(/\.rs$/, ''))
  }
  return used
}

/** What a used definition brings into use: the type of a method or variant, the types that a door gives. */
function broughtAlong({ module, folder }, used, doors) {
  const all = new Set(used.keys())
  for (const def of used.keys()) {
    if (def.owner !== undefined) all.add(def.owner)
    if (def.kind === 'variant') all.add(def.type)
  }
  for (const { fns, from } of module.allAmbiguous) {
    if (!folder.has({ module: moduleOf(module, from) })) for (const fn of fns) all.add(fn)
  }
  for (const def of doors) for (const type of mentioned(module.crate, def)) all.add(type)
  return all
}

/**
 * Problems of one folder's doors, a line each. `outside`: the text of all code beyond the crate, whose
 * names count as used.
 */
export function doorProblems(module, name, outside) {
  const folder = new Folder(module, name)
  if (!folder.hasList) return [`${name}: lists no doors`]
  const used = usedFromOutside({ module, folder })
  const { items, methods, all } = folder.visible()
  const reachable = broughtAlong(
    { module, folder },
    used,
    all.filter(def => folder.isDoor(def)),
  )
  const isUsed = (def, word) => reachable.has(def) || new RegExp(`\\b${word}\\b`).test(outside)
  const lines = new Set()
  for (const [def, from] of used) {
    if (!folder.isDoor(def)) lines.add(`${name}: ${nameOf(def)} is no door, used by ${from}`)
  }
  for (const def of [...items, ...methods]) {
    if (folder.isDoor(def) || used.has(def)) continue
    const by = isUsed(def, def.name) ? '' : ', and nobody there uses it'
    lines.add(`${name}: ${nameOf(def)} can be seen from outside and is no door${by}`)
  }
  for (const entry of folder.listed) {
    const meant = [...all, ...folder.reExported].filter(def => isMeant(folder, entry, def))
    const word = entry.replace(/::\*$/, '').split('::').at(-1)
    if (meant.length === 0) lines.add(`${name}: there is no ${entry} to be a door`)
    else if (!meant.some(def => isUsed(def, word))) lines.add(`${name}: nobody outside uses the door ${entry}`)
  }
  for (const def of folder.reExported) {
    if (folder.has(def) && !isUsed(def, def.name)) lines.add(`${name}: nobody outside uses the door ${def.name}`)
  }
  return [...lines].sort()
}

/** Names that others use of a folder, as a list of doors would say them; what mod.rs gives on is left out. */
export function doorsInUse(module, name) {
  const folder = new Folder(module, name)
  const names = new Map()
  for (const def of usedFromOutside({ module, folder }).keys()) {
    const { owner } = def
    if (def.kind === 'mod' || def.kind === 'variant' || def.impl?.of !== undefined || owner?.kind === 'trait') continue
    if (owner === undefined && !folder.reExported.has(def)) names.set(def.name, [])
    else if (owner !== undefined && !folder.has(owner)) names.set(def.name, [])
    else if (owner !== undefined) names.set(owner, [...(names.get(owner) ?? []), def.name])
  }
  const asWritten = ([owner, methods]) => {
    if (methods.length === 0) return owner
    return `${owner.name}::${methods.length === 1 ? methods[0] : `{${methods.sort().join(', ')}}`}`
  }
  return [...names].map(asWritten).sort()
}

const moduleOf = (module, file) => [...module.crate.modules.values()].find(each => each.file === file)

function isMeant(folder, entry, def) {
  if (nameOf(def) === entry) return true
  if (def.owner === undefined) return `${def.name}::*` === entry
  return !folder.has(def.owner) && def.name === entry
}

/** Types in what a door says: nobody may name them, and still they are seen. */
function mentioned(crate, def) {
  if (def.kind === 'fn') {
    const scope = scopeOf(crate, def)
    return [def.ret, ...def.params.map(param => param.type)].flatMap(type => defsIn(norm(type, scope)))
  }
  const scope = { crate, module: def.module, self: undefined, generics: new Map() }
  const types = [
    def.type,
    ...(def.fields ?? []).map(field => field.type),
    ...[...(def.variants?.values() ?? [])].flat().map(field => field.type),
  ]
  return types.flatMap(type => defsIn(norm(type, scope)))
}

/** The folders of a module: those with a mod.rs. */
export function foldersWithDoors(module) {
  const rooms = new Set([...module.crate.files.keys()].filter(file => module.has(file)).map(file => module.room(file)))
  return [...rooms].filter(room => module.crate.files.has(`${module.prefix}/${room}/mod.rs`)).sort()
}
