// Chains: a name, a path or a bracket, and the fields, calls and indexes behind it.
import { guess } from './guess.mjs'
import { element, fieldOf, methodOf, norm, resultOf } from './infer.mjs'
import { ext } from './std.mjs'
import { angleEnd, parseList, parseType } from './types.mjs'

/** The chain that begins at `i`: `[its type, index behind it]`. */
export function chain(walker, i, to) {
  let [type, at] = primary(walker, i, to)
  while (at < to) {
    const text = walker.text(at)
    if (text === '?') {
      type = element(walker.crate, type)
      at++
    } else if (text === '.') [type, at] = member(walker, type, at)
    else if (text === '[') {
      walker.walk(at + 1, walker.close.get(at))
      const isRange = walker.find(at + 1, walker.close.get(at), '..', '..=') < walker.close.get(at)
      type = isRange ? type : element(walker.crate, type)
      at = walker.close.get(at) + 1
    } else if (text === '(') {
      args(walker, at, undefined)
      type = type?.ret
      at = walker.close.get(at) + 1
    } else if (text === 'as') {
      const [cast, behind] = parseType(walker.file, at + 1)
      type = norm(cast, walker.scope)
      at = behind
    } else break
  }
  return [type, at]
}

function primary(walker, i, to) {
  const { text, kind } = walker.tokens[i]
  if (kind === 'string' || kind === 'number') return [ext(kind), i + 1]
  if (text === '(') return tuple(walker, i)
  if (text === '[') return [ext('Vec', args(walker, i, undefined)[0]), walker.close.get(i) + 1]
  if (text === '<') {
    const end = angleEnd(walker.file, i)
    return [undefined, walker.text(end) === '::' ? end + 2 : end]
  }
  if (kind !== 'word') return [undefined, i + 1]
  if (walker.text(i + 1) !== '::' && walker.text(i + 1) !== '!') {
    const local = walker.local(text)
    if (local !== undefined) {
      if (walker.text(i + 1) !== '(' || local?.closure !== true) return [local ?? undefined, i + 1]
      args(walker, i + 1, undefined)
      return [local.ret, walker.close.get(i + 1) + 1]
    }
  }
  return path(walker, i, to)
}

function tuple(walker, i) {
  const end = walker.close.get(i)
  const comma = walker.find(i + 1, end, ',')
  if (walker.find(i + 1, end, '..', '..=') < end && comma >= end) {
    walker.walk(i + 1, end)
    return [ext('Range'), end + 1]
  }
  if (comma >= end) return [walker.scoped(() => walker.walk(i + 1, end)), end + 1]
  return [{ tuple: args(walker, i, undefined) }, end + 1]
}

/** A path and, where it names a function or a type, its call or literal. */
function path(walker, i, to) {
  const { crate, scope } = walker
  const segments = [walker.text(i)]
  let at = i + 1
  let generics = []
  while (walker.text(at) === '::') {
    if (walker.text(at + 1) === '<') {
      const end = angleEnd(walker.file, at + 1)
      generics = parseList(walker.file, at + 2, end - 1).map(type => norm(type, scope))
      at = end
    } else {
      segments.push(walker.text(at + 1))
      at += 2
    }
  }
  const { line } = walker.tokens[i]
  if (walker.text(at) === '!' && walker.text(at + 1) !== '=' && walker.close.has(at + 1))
    return macro(walker, segments, at + 1)
  const isCall = walker.text(at) === '('
  if (segments[0] === 'Self' || scope.generics.has(segments[0])) {
    const self = segments[0] === 'Self' ? scope.self : scope.generics.get(segments[0])
    return associated(walker, self, segments.slice(1), at, to, line)
  }
  const found =
    crate.resolve(scope.module, segments, isCall ? 'fn' : 'type') ?? crate.resolve(scope.module, segments, 'fn')
  if (found === undefined) return foreign(walker, segments, generics, at)
  const { def, rest } = found
  if (def.kind === 'fn') {
    walker.events.push({ kind: 'call', fns: [def], name: def.name, line })
    if (isCall) args(walker, at, undefined)
    const ret = resultOf(crate, def, undefined)
    return isCall ? [ret, walker.close.get(at) + 1] : [{ closure: true, ret }, at]
  }
  walker.events.push({ kind: 'path', def, line })
  if (def.kind === 'const')
    return [norm(def.type, { crate, module: def.module, self: undefined, generics: new Map() }), at]
  if (def.kind === 'alias') {
    const type = norm({ path: segments.slice(0, segments.length - rest.length), args: [] }, scope)
    return associated(walker, type, rest, at, to, line)
  }
  if (def.kind === 'variant') return associated(walker, { def: def.type, args: [] }, [def.name], at, to, line)
  if (def.kind === 'type') return associated(walker, { def, args: generics }, rest, at, to, line)
  if (def.kind === 'trait') return associated(walker, { trait: def }, rest, at, to, line)
  return [undefined, at]
}

/** `Type`, `Type { .. }`, `Type(..)`, `Type::Variant`, `Type::function(..)`. */
function associated(walker, type, rest, at, to, line) {
  const name = rest[0]
  if (name !== undefined && !type?.def?.variants?.has(name)) {
    const own = type === undefined ? undefined : methodOf(walker.crate, type, name, [])
    const found = name === 'default' && own?.fns === undefined ? { type } : own
    if (found?.fns !== undefined) walker.events.push({ kind: 'call', fns: found.fns, name, line })
    if (walker.text(at) !== '(') return [found?.fns === undefined ? undefined : { closure: true, ret: found.type }, at]
    args(walker, at, undefined)
    return [found?.type, walker.close.get(at) + 1]
  }
  if (walker.text(at) === '(') {
    args(walker, at, undefined)
    return [type, walker.close.get(at) + 1]
  }
  if (walker.text(at) === '{' && at < to && isLiteral(walker, at)) {
    literal(walker, at)
    return [type, walker.close.get(at) + 1]
  }
  return [type, at]
}

/** `{ name: .. }`, `{ name, .. }`, `{ ..base }` or `{}` behind a type. */
function isLiteral(walker, open) {
  const first = walker.text(open + 1)
  if (first === '}' || first === '..' || first === '#') return true
  return walker.tokens[open + 1].kind === 'word' && /^[:,}]$/.test(walker.text(open + 2))
}

function literal(walker, open) {
  const end = walker.close.get(open)
  for (let at = open + 1; at < end; ) {
    const stop = walker.find(at, end, ',')
    const value = walker.text(at + 1) === ':' ? at + 2 : at
    walker.scoped(() => walker.walk(value, stop))
    at = stop + 1
  }
}

/** `Arc::new(x)`, `Some(x)`, `std::mem::take(&mut x)`: the type goes through. */
function foreign(walker, segments, generics, at) {
  const name = segments.at(-1)
  if (walker.text(at) !== '(') return [undefined, at]
  const given = args(walker, at, undefined)
  const behind = walker.close.get(at) + 1
  if (/^(Some|Ok)$/.test(name)) return [ext(name === 'Some' ? 'Option' : 'Result', given[0]), behind]
  if (/^(take|replace|clone|make_mut|get_mut)$/.test(name)) return [given[0], behind]
  const owner = segments.at(-2)
  if (owner === 'Arc' && name === 'clone') return [given[0], behind]
  if (name === 'new' && owner !== undefined) return [ext(owner, given[0] ?? generics[0]), behind]
  return [owner !== undefined && /^[A-Z]/.test(owner) ? ext(owner, ...generics) : undefined, behind]
}

function macro(walker, segments, open) {
  const given = args(walker, open, undefined)
  const type = segments.at(-1) === 'vec' ? ext('Vec', given[0]) : undefined
  return [type, walker.close.get(open) + 1]
}

/** `.field`, `.method(..)`, `.0`. */
function member(walker, receiver, dot) {
  const { crate } = walker
  const name = walker.text(dot + 1)
  const { line } = walker.tokens[dot + 1]
  let at = dot + 2
  if (walker.text(at) === '::') at = angleEnd(walker.file, at + 1)
  if (walker.text(at) !== '(') {
    const found = receiver === undefined ? undefined : fieldOf(crate, receiver, name)
    if (found?.owner !== undefined)
      walker.events.push({ kind: 'field', owner: found.owner, field: found.field, type: found.type, line })
    return [found?.type, at]
  }
  const event = { kind: 'call', fns: [], name, line }
  walker.events.push(event)
  const given = args(walker, at, receiver)
  const found = receiver === undefined ? undefined : methodOf(crate, receiver, name, given)
  if (found === undefined) guess(crate, walker.scope.module, event)
  else event.fns = found.fns ?? []
  if (event.kind === 'guess') return [resultOf(crate, event.fns[0], undefined), walker.close.get(at) + 1]
  return [found?.type, walker.close.get(at) + 1]
}

/** Arguments in brackets; gives their types. `receiver`: what a closure without types is given parts of. */
export function args(walker, open, receiver) {
  const end = walker.close.get(open)
  const types = []
  for (let at = open + 1; at < end; ) {
    let first = at
    while (walker.text(first) === 'move' || walker.text(first) === '&') first++
    let stop = first
    if (walker.text(first) === '|') {
      stop = first + 1
      while (stop < end && walker.text(stop) !== '|')
        stop = walker.close.has(stop) ? walker.close.get(stop) + 1 : stop + 1
    }
    stop = argEnd(walker, stop, end)
    const hint = element(walker.crate, receiver)
    types.push(
      walker.text(first) === '|'
        ? walker.closure(first, stop, [hint ?? receiver])[0]
        : walker.scoped(() => walker.walk(at, stop)),
    )
    at = stop + 1
  }
  return types
}

function argEnd(walker, at, end) {
  let i = at
  while (i < end && walker.text(i) !== ',') {
    if (walker.text(i) === '::' && walker.text(i + 1) === '<') i = angleEnd(walker.file, i + 1)
    else i = walker.close.has(i) ? walker.close.get(i) + 1 : i + 1
  }
  return i
}
