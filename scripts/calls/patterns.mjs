// Names that a pattern binds, with their types.
import { norm, plain } from './infer.mjs'

const MODE = new Set(['&', 'mut', 'ref', 'box'])

/** Binds the names of the pattern in `from .. to` to their parts of `type`. */
export function bind(walker, from, to, type) {
  let start = from
  if (walker.text(start) === '|') start++
  let end = start
  while (end < to && walker.text(end) !== '|') end = walker.close.has(end) ? walker.close.get(end) + 1 : end + 1
  one(walker, start, end, type)
  if (end < to) bind(walker, end + 1, to, type)
}

function one(walker, from, to, type) {
  let i = from
  while (i < to && MODE.has(walker.text(i))) i++
  if (i >= to) return
  const t = plain(walker.crate, type)
  const open = walker.text(i)
  if (open === '(') return parts(walker, i, (at, end, n) => bind(walker, at, end, t?.tuple?.[n]))
  if (open === '[') return parts(walker, i, (at, end) => bind(walker, at, end, t?.args?.[0]))
  if (walker.tokens[i].kind !== 'word') return
  const path = [walker.text(i)]
  while (walker.text(i + 1) === '::' && i + 2 < to) {
    path.push(walker.text(i + 2))
    i += 2
  }
  if (i + 1 >= to) {
    if (path.length === 1 && /^[a-z_]/.test(path[0])) walker.set(path[0], type)
    else note(walker, path, i)
    return
  }
  if (walker.text(i + 1) === '@') {
    walker.set(path[0], type)
    return bind(walker, i + 2, to, type)
  }
  note(walker, path, i)
  const fields = fieldsOf(walker, path, t)
  if (walker.text(i + 1) === '(') {
    parts(walker, i + 1, (at, end, n) => bind(walker, at, end, fields(String(n))))
  } else if (walker.text(i + 1) === '{') {
    parts(walker, i + 1, (at, end) => {
      let first = at
      while (first < end && MODE.has(walker.text(first))) first++
      const name = walker.text(first)
      if (walker.text(first + 1) === ':') bind(walker, first + 2, end, fields(name))
      else if (name !== '..') walker.set(name, fields(name))
    })
  }
}

function parts(walker, open, give) {
  const end = walker.close.get(open)
  let n = 0
  for (let at = open + 1; at < end; n++) {
    const stop = walker.find(at, end, ',')
    give(at, stop, n)
    at = stop + 1
  }
}

/** A path in a pattern is a use of what it names. */
function note(walker, path, i) {
  const found = path[0] === 'Self' ? undefined : walker.crate.resolve(walker.scope.module, path)
  if (found !== undefined) walker.events.push({ kind: 'path', def: found.def, line: walker.tokens[i].line })
}

/** Types of the fields of a variant or struct that a pattern takes apart. */
function fieldsOf(walker, path, type) {
  const name = path.at(-1)
  if (type?.ext === 'Option' || type?.ext === 'Result') return () => type.args[name === 'Err' ? 1 : 0]
  const found =
    path[0] === 'Self'
      ? { def: walker.scope.self?.def, rest: path.slice(1) }
      : walker.crate.resolve(walker.scope.module, path)
  let { def } = found ?? {}
  let variant = found?.rest[0]
  if (def?.kind === 'variant') {
    variant = def.name
    def = def.type
  }
  if (def?.kind !== 'type') return () => undefined
  const fields = variant === undefined ? def.fields : (def.variants.get(variant) ?? [])
  return wanted =>
    norm(fields.find(field => field.name === wanted)?.type, {
      crate: walker.crate,
      module: def.module,
      self: { def, args: [] },
      generics: new Map(),
    })
}
