// Types as they are written: `{ path, args, ret }`, `{ tuple }`, or undefined where it does not matter.
// References, lifetimes, `dyn` and `impl` are left out; a slice or array is a `Vec`.

const SKIPPED = new Set(['&', '*', 'mut', 'const', 'dyn', 'impl', '?'])

/** Reads one type at `at`; gives `[type, index behind it]`. */
export function parseType(file, at) {
  const { tokens, close } = file
  let i = at
  const text = () => tokens[i]?.text
  while (SKIPPED.has(text()) || tokens[i]?.kind === 'lifetime') i++
  if (text() === 'for' && tokens[i + 1]?.text === '<') {
    i = angleEnd(file, i + 1)
    return parseType(file, i)
  }
  if (text() === '+') return parseType(file, i + 1)
  if (text() === '(') {
    const end = close.get(i)
    const parts = parseList(file, i + 1, end)
    return more(file, end + 1, parts.length === 1 && tokens[end - 1].text !== ',' ? parts[0] : { tuple: parts })
  }
  if (text() === '[') return [{ path: ['Vec'], args: [parseType(file, i + 1)[0]] }, close.get(i) + 1]
  if (text() === '<') {
    i = angleEnd(file, i)
    while (text() === '::') i += 2
    return [undefined, i]
  }
  if (text() === '!') return [undefined, i + 1]
  if (text() === 'unsafe' || text() === 'extern' || text() === 'fn') {
    while (text() !== '(') i++
    return result(file, close.get(i) + 1, { path: ['Fn'], args: [] })
  }
  if (tokens[i]?.kind !== 'word') return [undefined, i + 1]
  return parsePath(file, i)
}

function parsePath(file, at) {
  const { tokens, close } = file
  const type = { path: [], args: [] }
  let i = at
  for (;;) {
    type.path.push(tokens[i].text)
    i++
    if (tokens[i]?.text === '::' && tokens[i + 1]?.text === '<') i++
    if (tokens[i]?.text === '<') {
      const end = angleEnd(file, i)
      type.args = parseList(file, i + 1, end - 1)
      i = end
    }
    if (tokens[i]?.text === '(' && /^Fn(Once|Mut)?$/.test(type.path.at(-1))) {
      type.args = parseList(file, i + 1, close.get(i))
      return result(file, close.get(i) + 1, type)
    }
    if (tokens[i]?.text !== '::') return more(file, i, type)
    i++
  }
}

function result(file, at, type) {
  if (file.tokens[at]?.text !== '->') return more(file, at, type)
  const [ret, behind] = parseType(file, at + 1)
  return [{ ...type, ret }, behind]
}

/** Further bounds, `+ Send`, say nothing here. */
function more(file, at, type) {
  if (file.tokens[at]?.text !== '+') return [type, at]
  const [, behind] = parseType(file, at + 1)
  return [type, behind]
}

/** Types separated by commas; `Item = T` counts as T, lifetimes and numbers as nothing. */
export function parseList(file, from, to) {
  const { tokens } = file
  const types = []
  for (let i = from; i < to; ) {
    if (tokens[i].text === ',') i++
    else if (tokens[i].kind === 'lifetime' && /^[,>]$/.test(tokens[i + 1]?.text ?? ',')) i++
    else if (tokens[i].kind === 'word' && tokens[i + 1]?.text === '=') i += 2
    else {
      const [type, behind] = parseType(file, i)
      types.push(type)
      i = Math.max(behind, i + 1)
      while (i < to && tokens[i].text !== ',') i++
    }
  }
  return types
}

/** Index behind the `>` that belongs to the `<` at `at`. */
export function angleEnd({ tokens, close }, at) {
  let depth = 0
  for (let i = at; i < tokens.length; i++) {
    const { text } = tokens[i]
    if (close.has(i)) i = close.get(i)
    else if (text === '<') depth++
    else if (text === '>' && --depth === 0) return i + 1
  }
  throw new Error(`line ${tokens[at].line}: < without >`)
}

/** `<T: Bound, 'a>` and `where` clauses: `[name, bound types]` each. */
export function parseGenerics(file, from, to) {
  const { tokens } = file
  const found = []
  for (let i = from; i < to; ) {
    if (tokens[i].kind !== 'word' || tokens[i].text === 'const') {
      i++
      continue
    }
    const name = tokens[i].text
    const bounds = []
    i++
    if (tokens[i]?.text === ':') {
      do {
        const [bound, behind] = parseOne(file, i + 1)
        bounds.push(bound)
        i = behind
      } while (i < to && tokens[i].text === '+')
    }
    found.push([name, bounds.filter(bound => bound !== undefined)])
    while (i < to && tokens[i].text !== ',') i = tokens[i].text === '<' ? angleEnd(file, i) : i + 1
    i++
  }
  return found
}

function parseOne(file, at) {
  if (file.tokens[at]?.kind === 'lifetime') return [undefined, at + 1]
  const [type] = parseType(file, at)
  // One bound only: `more` would have swallowed the next ones.
  let i = at
  while (i < file.tokens.length && !/^[+,{>;=]$/.test(file.tokens[i].text)) {
    if (file.tokens[i].text === '<') i = angleEnd(file, i)
    else i = file.close.has(i) ? file.close.get(i) + 1 : i + 1
  }
  return [type, i]
}
