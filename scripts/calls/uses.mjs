// What the files of a module use of each other: imports, calls, fields.
import { eventsOf } from './bodies.mjs'
import { defsIn } from './infer.mjs'

const isModFile = file => /(^|\/)(mod|lib|main)\.rs$/.test(file)
const folderOf = file => file.split('/').slice(0, -1).join('/')

/** Whether `file` is the mod.rs of a folder that `other` lies in. */
const isAbove = (file, other) =>
  isModFile(file) && `${other}/`.startsWith(folderOf(file) === '' ? '' : `${folderOf(file)}/`)

/**
 * A use that is Rust's way and no tie: a child names the struct of its mod.rs, a mod.rs names its
 * children's types.
 */
const isRustsWay = use => use.isType && (isAbove(use.to, use.from) || isAbove(use.from, use.to))

/**
 * All uses of a crate between two files: `{ kind: 'import' | 'call' | 'field', from, to, name, line, def, isTie }`.
 * `isTie` is false for what is Rust's way. Without bodies: imports alone, which paths outside of them tell too.
 * `ambiguous` are method calls whose receiver is not known and whose name several types have.
 */
export function usesOf(crate, { withBodies = true } = {}) {
  const uses = []
  const ambiguous = []
  const add = (kind, from, def, line, name = def.name) => {
    if (def.file === undefined || def.file === from) return
    const isType = /^(type|trait|alias|mod|variant)$/.test(def.kind)
    const use = { kind, from, to: def.file, name, line, def, isType: isType && kind === 'import' }
    uses.push({ ...use, isTie: !isRustsWay(use) })
  }
  for (const module of crate.modules.values()) {
    for (const use of module.uses) if (!(isModFile(module.file) && use.vis !== '')) addImport(crate, module, use, add)
    addPaths(crate, module, add)
  }
  for (const fn of withBodies ? crate.fns : []) {
    for (const event of eventsOf(crate, fn)) {
      if (event.kind === 'ambiguous') ambiguous.push({ ...event, from: fn.file })
      else if (event.kind === 'path') add('import', fn.file, event.def, event.line)
      else if (event.kind === 'field') addField(fn.file, event, add)
      else if (event.fns.length > 0) add('call', fn.file, event.fns[0], event.line, nameOf(event.fns[0]))
    }
  }
  return { uses, ambiguous }
}

export const nameOf = fn => (fn.owner === undefined ? fn.name : `${fn.owner.name}::${fn.name}`)

function addImport(crate, module, use, add) {
  for (const wants of ['type', 'fn']) {
    const found = crate.resolve(module, use.path, wants)
    if (found !== undefined && found.def !== module) {
      add('import', module.file, found.def, use.line)
      if (found.def.kind !== 'fn' && wants === 'type' && found.def.kind !== 'mod') return
    }
  }
}

/** Paths written out, as `super::stopped` in a signature or `crate::volume::blocks::bit(..)`. */
function addPaths(crate, module, add) {
  const file = crate.files.get(module.file)
  const { tokens } = file
  const skipped = [...file.tests, ...file.useRanges]
  for (let i = 0; i < tokens.length; i++) {
    const range = skipped.find(([from, to]) => i >= from && i < to)
    if (range !== undefined) {
      i = range[1] - 1
      continue
    }
    if (tokens[i].kind !== 'word' || tokens[i + 1]?.text !== '::' || tokens[i - 1]?.text === '::') continue
    const path = [tokens[i].text]
    for (let at = i + 1; tokens[at]?.text === '::' && tokens[at + 1]?.kind === 'word'; at += 2)
      path.push(tokens[at + 1].text)
    const found = path[0] === 'Self' ? undefined : crate.resolve(module, path, 'fn')
    if (found !== undefined && found.def !== module) add('import', module.file, found.def, tokens[i].line)
  }
}

/**
 * A field of a struct in a mod.rs above is a use of the rooms its type comes from (`self.commits` of
 * the struct that all share); any other field is a use of the struct.
 */
function addField(from, { owner, field, type, line }, add) {
  if (!isAbove(owner.file, from)) return add('field', from, owner, line, `${owner.name}.${field.name}`)
  for (const def of defsIn(type)) add('field', from, def, line, `${owner.name}.${field.name}`)
}
