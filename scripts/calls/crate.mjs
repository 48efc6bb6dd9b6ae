// A Rust crate as modules and the names in them: from a path as it is written to what it means.
import { parseFile } from './items.mjs'
import { parseUse } from './use-lines.mjs'

/**
 * A definition: `{ kind, name, vis, line, file, module, ... }`, kind one of mod, type, trait, fn, const, alias.
 * Methods are functions with `owner`, the type or trait they belong to.
 */
export class Crate {
  /** Modules by their path, joined with `::`; the root is ''. */
  modules = new Map()
  /** All functions with a body or a signature. */
  fns = []
  /** Methods of the crate's types and traits by name. */
  methods = new Map()
  impls = []

  /** `texts`: a Map from a file's path below the crate's `src` to its text. Test files are reached by no module. */
  constructor(texts) {
    this.texts = texts
    this.files = new Map()
    const root = texts.has('lib.rs') ? 'lib.rs' : texts.has('main.rs') ? 'main.rs' : 'mod.rs'
    this.#addModule([], root, undefined, this.#parse(root).items)
    for (const impl of this.impls) this.#addImpl(impl)
  }

  #parse(path) {
    const parsed = { path, ...parseFile(this.texts.get(path)) }
    this.files.set(path, parsed)
    return parsed
  }

  #addModule(path, file, head, items) {
    const module = { kind: 'mod', ...head, name: path.at(-1) ?? '', path, file, names: new Map(), uses: [] }
    this.modules.set(path.join('::'), module)
    module.module = this.modules.get(path.slice(0, -1).join('::'))
    for (const item of items) this.#addItem(module, item)
  }

  #addItem(module, item) {
    const def = { ...item, module, file: module.file }
    if (item.kind === 'use') module.uses.push(def)
    else if (item.kind === 'mod') this.#addChild(module, item)
    else if (item.kind === 'impl') this.impls.push(def)
    else module.names.set(item.kind === 'fn' ? `${item.name}()` : item.name, def)
    if (item.kind === 'fn') this.fns.push(def)
    if (item.kind === 'type' || item.kind === 'trait') Object.assign(def, { members: new Map(), implementors: [] })
    if (item.kind === 'trait') {
      def.traits = []
      for (const inner of item.items) if (inner.kind === 'fn') this.#addMethod(def, inner, def)
    }
    if (item.kind === 'type') def.traits = []
  }

  #addChild(module, item) {
    const path = [...module.path, item.name]
    if (item.items !== undefined) return this.#addModule(path, module.file, item, item.items)
    const base = path.join('/')
    const file = [`${base}.rs`, `${base}/mod.rs`].find(name => this.texts.has(name))
    if (file !== undefined) this.#addModule(path, file, item, this.#parse(file).items)
  }

  #addMethod(owner, item, impl) {
    const def = { ...item, owner, impl, module: impl.module, file: impl.file }
    const same = owner.members.get(item.name) ?? []
    owner.members.set(item.name, [...same, def])
    this.methods.set(item.name, [...(this.methods.get(item.name) ?? []), def])
    this.fns.push(def)
  }

  #addImpl(impl) {
    const owner = impl.type === undefined ? undefined : this.resolve(impl.module, impl.type.path)?.def
    const trait = impl.of === undefined ? undefined : this.resolve(impl.module, impl.of.path)?.def
    const target = owner?.kind === 'type' ? owner : undefined
    impl.owner = target
    if (target !== undefined && impl.of !== undefined) target.traits.push({ name: impl.of.path.at(-1), trait, impl })
    const elsewhere = {
      kind: 'type',
      name: impl.type?.path?.at(-1) ?? '?',
      members: new Map(),
      traits: [],
      isForeign: true,
    }
    for (const item of impl.items) {
      if (item.kind !== 'fn') continue
      this.#addMethod(target ?? elsewhere, item, impl)
      if (trait?.kind === 'trait') trait.implementors.push(this.fns.at(-1))
    }
  }

  /**
   * What `path` means in `module`: `{ def, rest }`, where `rest` are the segments behind a type or trait.
   * Undefined: not of this crate. `wants`: 'fn' prefers a function where a name is both.
   */
  resolve(module, path, wants = 'type', seen = new Set()) {
    let at = 0
    let here = module
    if (path[0] === 'crate') here = this.modules.get('')
    else if (path[0] === 'self') here = module
    else if (path[0] === 'super') here = module.module
    else at = -1
    if (at === 0) {
      at = 1
      while (path[at] === 'super') {
        here = here?.module
        at++
      }
    } else at = 0
    if (here === undefined) return undefined
    if (at === path.length) return { def: here, rest: [] }
    for (; at < path.length; at++) {
      const isLast = at === path.length - 1
      const def = this.#lookUp(here, path[at], isLast ? wants : 'type', seen)
      if (def === undefined) return undefined
      if (def.kind !== 'mod' || isLast) return { def, rest: path.slice(at + 1) }
      here = def
    }
    return undefined
  }

  #lookUp(module, name, wants, seen) {
    const key = `${module.path.join('::')} ${name} ${wants}`
    if (seen.has(key)) return undefined
    seen.add(key)
    const found = this.#search(module, name, wants, seen)
    seen.delete(key)
    return found
  }

  #search(module, name, wants, seen) {
    const own = wants === 'fn' ? [`${name}()`, name] : [name, `${name}()`]
    for (const each of own) if (module.names.has(each)) return module.names.get(each)
    const child = this.modules.get([...module.path, name].join('::'))
    if (child !== undefined) return child
    for (const use of module.uses) {
      if (use.glob !== true && use.name === name) {
        const found = this.resolve(module, use.path, wants, seen)
        if (found !== undefined) return found.rest.length === 0 ? found.def : variant(found)
      }
    }
    for (const use of module.uses) {
      if (use.glob !== true) continue
      const from = this.resolve(module, use.path, 'type', seen)
      const found =
        from?.def.kind === 'mod' && from.rest.length === 0 ? this.#lookUp(from.def, name, wants, seen) : undefined
      if (found !== undefined) return found
      if (from?.def.kind === 'type' && from.def.variants?.has(name)) return variant({ def: from.def, rest: [name] })
    }
    return undefined
  }

  /** The module as seen behind a `use` line inside a function. */
  addUse(module, file, from, to) {
    const inner = { ...module, uses: [...module.uses] }
    parseUse(file.tokens, file.close, from, to, [], use => inner.uses.unshift({ kind: 'use', vis: '', ...use }))
    return inner
  }
}

/** A variant that was imported by its own name. */
const variant = ({ def, rest }) =>
  def.kind === 'type' && def.variants?.has(rest[0])
    ? { kind: 'variant', name: rest[0], type: def, file: def.file, module: def.module }
    : undefined
