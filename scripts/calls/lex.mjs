// Rust's text as tokens, enough for scripts/calls.mjs: no comments, brackets paired.

const SHAPES = [
  ['space', /\s+|\/\/[^\n]*/y],
  ['string', /[bc]?r(#*)"[\s\S]*?"\1|[bc]?"(?:[^"\\]|\\[\s\S])*"/y],
  ['string', /b?'(?:[^'\\\n]|\\(?:u\{[^}]*\}|x[0-9a-fA-F]{2}|[\s\S]))'/uy],
  ['lifetime', /'\w+/y],
  ['word', /(?:r#)?[A-Za-z_]\w*/y],
  ['number', /\d\w*(?:\.\d\w*)?/y],
  ['mark', /::|->|=>|\.\.=|\.\.|[=!<>]=|[\s\S]/uy],
]

/** Where a block comment that begins at `at` ends; they nest. */
function commentEnd(text, at) {
  let depth = 0
  const mark = /\/\*|\*\//g
  mark.lastIndex = at
  for (let found = mark.exec(text); found !== null; found = mark.exec(text)) {
    depth += found[0] === '/*' ? 1 : -1
    if (depth === 0) return mark.lastIndex
  }
  return text.length
}

function next(text, at) {
  if (text.startsWith('/*', at)) return ['space', text.slice(at, commentEnd(text, at))]
  for (const [kind, shape] of SHAPES) {
    shape.lastIndex = at
    const found = shape.exec(text)
    if (found !== null) return [kind, found[0]]
  }
  throw new Error(`no token at ${at}`)
}

const OPENING = { '(': ')', '[': ']', '{': '}' }

/**
 * `{ tokens, close }`: tokens as `{ kind, text, line }`, and for the index of every opening bracket
 * that of its closing one. Throws where brackets do not pair.
 */
export function lex(text) {
  const tokens = []
  const close = new Map()
  const open = []
  let line = 1
  for (let at = 0; at < text.length; ) {
    const [kind, found] = next(text, at)
    if (kind !== 'space') tokens.push({ kind, text: found, line })
    if (kind === 'mark' && found in OPENING) open.push(tokens.length - 1)
    if (kind === 'mark' && /^[)\]}]$/.test(found)) {
      const from = open.pop()
      if (from === undefined || OPENING[tokens[from].text] !== found) throw new Error(`line ${line}: ${found}`)
      close.set(from, tokens.length - 1)
    }
    for (const letter of found) if (letter === '\n') line++
    at += found.length
  }
  if (open.length > 0) throw new Error(`line ${tokens[open[0]].line}: not closed`)
  return { tokens, close }
}
