// Types of expressions, as far as text gives them: `{ def, args }` of the crate, `{ trait }`,
// `{ ext, args }` of elsewhere, `{ tuple }`, `{ param, bounds }`, `{ closure, ret }`; undefined: not known.

import { ext, foreign, MAPS, POINTERS } from './std.mjs'

/** A type as written, in its surroundings `{ crate, module, self, generics }`. */
export function norm(type, scope) {
  if (type === undefined) return undefined
  if (type.tuple !== undefined) return { tuple: type.tuple.map(part => norm(part, scope)) }
  const [first] = type.path
  if (first === 'Self') return type.path.length === 1 ? scope.self : assoc(scope, type.path[1])
  if (type.path.length === 1 && scope.generics.has(first)) return scope.generics.get(first)
  const found = scope.crate.resolve(scope.module, type.path)
  const args = type.args.map(arg => norm(arg, scope))
  if (found === undefined) {
    const name = type.path.at(-1)
    if (/Iterator$/.test(name)) return ext('Vec', ...args)
    return { ext: name, args, ret: norm(type.ret, scope) }
  }
  const { def } = found
  if (def.kind === 'type') return { def, args }
  if (def.kind === 'trait') return { trait: def }
  if (def.kind !== 'alias') return undefined
  const generics = new Map(def.generics.map(([name]) => [name, { param: name, bounds: [] }]))
  const plain = norm(def.type, { crate: scope.crate, module: def.module, self: undefined, generics })
  return subst(plain, new Map(def.generics.map(([name], i) => [name, args[i]])))
}

/** `Self::Name` of a type's trait impls. */
function assoc({ crate, self }, name) {
  for (const { impl } of self?.def?.traits ?? []) {
    const alias = impl.items.find(item => item.kind === 'alias' && item.name === name)
    if (alias !== undefined) return norm(alias.type, scopeOfImpl(crate, impl))
  }
  return undefined
}

/** Generic names with their bounds, in front of those that were known before. */
export function withGenerics(generics, list, scope) {
  const all = new Map(generics)
  for (const [name, bounds] of list) {
    const known = bounds.map(bound => norm(bound, { ...scope, generics: all })).filter(bound => bound !== undefined)
    const functions = known.find(bound => /^Fn(Once|Mut)?$/.test(bound.ext ?? ''))
    const list = known.find(bound => bound.ext === 'Vec')
    all.set(name, functions ?? list ?? { param: name, bounds: known })
  }
  return all
}

export function scopeOfImpl(crate, impl) {
  const scope = { crate, module: impl.module, self: undefined, generics: new Map() }
  scope.generics = withGenerics(scope.generics, impl.generics, scope)
  scope.self = impl.kind === 'trait' ? { trait: impl } : norm(impl.type, scope)
  return scope
}

export function scopeOf(crate, fn) {
  const scope =
    fn.impl === undefined
      ? { crate, module: fn.module, self: undefined, generics: new Map() }
      : scopeOfImpl(crate, fn.impl)
  return { ...scope, generics: withGenerics(scope.generics, fn.generics, scope) }
}

/** Replaces generic names by the types they stand for. */
export function subst(type, map) {
  if (type === undefined || map.size === 0) return type
  if (type.param !== undefined) return map.get(type.param) ?? type
  if (type.tuple !== undefined) return { tuple: type.tuple.map(part => subst(part, map)) }
  if (type.args === undefined || type.args.length === 0) return type
  return { ...type, args: type.args.map(arg => subst(arg, map)), ret: subst(type.ret, map) }
}

/** What a pointer, guard or `Deref` type leads to; undefined: nothing further. */
function deref(crate, type) {
  if (POINTERS.has(type.ext)) return type.args[0]
  const target = type.def?.traits.find(each => each.name === 'Deref')
  const alias = target?.impl.items.find(item => item.kind === 'alias' && item.name === 'Target')
  if (alias === undefined) return undefined
  return subst(norm(alias.type, scopeOfImpl(crate, target.impl)), mapOf(type))
}

const mapOf = type =>
  new Map((type.def?.generics ?? []).map(([name], i) => [name, type.args?.[i]]).filter(([, arg]) => arg !== undefined))

/** The type behind references of any kind, for patterns. */
export function plain(crate, type) {
  let t = type
  for (let i = 0; i < 8 && t !== undefined && (t.ext !== undefined ? POINTERS.has(t.ext) : false); i++)
    t = deref(crate, t)
  return t
}

/** Elements of a list, an option, a map's pairs. */
export function element(crate, type) {
  const t = plain(crate, type)
  if (t === undefined || t.ext === undefined) return undefined
  if (MAPS.has(t.ext)) return { tuple: [t.args[0], t.args[1]] }
  return t.args[0]
}

/** `{ type, owner }` of a field; `owner` is the struct that has it. */
export function fieldOf(crate, type, name) {
  let t = type
  for (let i = 0; i < 8 && t !== undefined; i++) {
    if (t.tuple !== undefined) return { type: t.tuple[Number(name)] }
    const field = t.def?.fields?.find(each => each.name === name)
    if (field !== undefined) {
      const scope = { crate, module: t.def.module, self: t, generics: new Map() }
      scope.generics = withGenerics(scope.generics, t.def.generics, scope)
      return { type: subst(norm(field.type, scope), mapOf(t)), owner: t.def, field }
    }
    t = deref(crate, t)
  }
  return undefined
}

/** `{ fns, type }` of a method of this crate, `{ type }` of another one's, undefined: the receiver is unknown. */
export function methodOf(crate, type, name, args) {
  let t = type
  for (let i = 0; i < 8 && t !== undefined; i++) {
    const own = t.def?.members.get(name) ?? traitMethods(t, name)
    if (own !== undefined) return { fns: own, type: resultOf(crate, own[0], t) }
    if (name === 'clone') return { type: t.ext !== undefined && POINTERS.has(t.ext) ? type : t }
    const builtin = foreign(t, name, args)
    if (builtin !== undefined) return { type: builtin.type }
    const next = deref(crate, t)
    if (next === undefined && (t.def !== undefined || t.ext !== undefined)) {
      // A type that is known, without such a method: derived, or of a foreign trait.
      return extensions(crate, t, name) ?? { type: isForeign([t, ...args.map(arg => arg?.ret)]) ? ext('?') : undefined }
    }
    t = next
  }
  return undefined
}

/** Whether nothing of this crate can come out of these types. */
const isForeign = types => types.every(type => type?.closure !== true && defsIn(type).length === 0)

/** The crate's own types in a type. */
export function defsIn(type) {
  if (type === undefined) return []
  const own = type.def ?? type.trait
  return [...(own === undefined ? [] : [own]), ...[...(type.args ?? []), ...(type.tuple ?? [])].flatMap(defsIn)]
}

/** Methods that traits of this crate give to types of others. */
function extensions(crate, t, name) {
  const fns =
    t.ext === undefined
      ? []
      : (crate.methods.get(name) ?? []).filter(fn => fn.owner.isForeign && fn.owner.name === t.ext)
  return fns.length === 0 ? undefined : { fns, type: resultOf(crate, fns[0], t) }
}

function traitMethods(t, name) {
  const traits =
    t.trait !== undefined
      ? [t.trait]
      : t.param !== undefined
        ? t.bounds.map(bound => bound.trait)
        : (t.def?.traits ?? []).map(each => each.trait)
  for (const trait of traits) if (trait?.members?.has(name)) return trait.members.get(name)
  return undefined
}

/** What a function gives, called on or through `self`. */
export function resultOf(crate, fn, self) {
  const scope = scopeOf(crate, fn)
  if (fn.owner?.kind === 'trait' || scope.self?.def === undefined) scope.self = self ?? scope.self
  return subst(norm(fn.ret, scope), self === undefined ? new Map() : mapOf(self))
}
