// What stands in a Rust file: modules, `use` lines, types, traits, impl blocks and functions. Items of
// `#[cfg(test)]` are left out; their token ranges are in `tests`.
import { lex } from './lex.mjs'
import { angleEnd, parseGenerics, parseType } from './types.mjs'
import { parseUse } from './use-lines.mjs'

const PREFIX = new Set(['const', 'async', 'unsafe', 'extern', 'default'])

/** `{ tokens, close, tests, items }` of one file's text. */
export function parseFile(text) {
  const file = { ...lex(text), tests: [], useRanges: [] }
  file.items = parseItems(file, 0, file.tokens.length)
  return file
}

/** Items of a range of tokens: of a file, a `mod {}`, an `impl {}` or a `trait {}`. */
export function parseItems(file, from, to) {
  const items = []
  for (let i = from; i < to; ) i = oneItem(file, i, to, items)
  return items
}

function oneItem(file, at, to, items) {
  const { tokens, close } = file
  let i = at
  let isTest = false
  let isTesting = false
  for (;;) {
    const bang = tokens[i]?.text === '#' && tokens[i + 1]?.text === '!' ? 1 : 0
    if (tokens[i]?.text !== '#' || tokens[i + 1 + bang]?.text !== '[') break
    const end = close.get(i + 1 + bang)
    const words = tokens.slice(i, end).map(token => token.text)
    if (words.includes('cfg') && words.includes('test') && !words.includes('any')) isTest = bang === 0
    if (words.includes('cfg') && words.includes('"testing"')) isTesting = true
    i = end + 1
  }
  if (i >= to) return to
  const line = tokens[i].line
  let vis = ''
  if (tokens[i].text === 'pub') {
    vis = 'pub'
    i++
    if (tokens[i].text === '(') {
      vis = `pub(${tokens
        .slice(i + 1, close.get(i))
        .map(token => token.text)
        .join('')
        .replace(/^in/, '')})`
      i = close.get(i) + 1
    }
  }
  const found = []
  const end = itemBody(file, i, to, { vis, line, isTesting }, found)
  if (isTest) file.tests.push([at, end])
  else items.push(...found)
  return end
}

/** Reads the item behind attributes and visibility; gives the index behind it. */
function itemBody(file, at, to, head, items) {
  const { tokens, close } = file
  let i = at
  while (PREFIX.has(tokens[i].text) && /^(fn|unsafe|async|extern|impl|trait|const)$/.test(tokens[i + 1]?.text ?? ''))
    i++
  if (tokens[i].text === 'extern' && tokens[i + 1]?.kind === 'string') i += 2
  const word = tokens[i].text
  const name = tokens[i + 1]?.text
  switch (word) {
    case 'use': {
      const end = endOf(file, i, to)
      file.useRanges.push([i, end])
      parseUse(tokens, close, i + 1, end - 1, [], use => items.push({ ...head, kind: 'use', ...use }))
      return end
    }
    case 'mod': {
      const body = tokens[i + 2].text === '{' ? parseItems(file, i + 3, close.get(i + 2)) : undefined
      items.push({ ...head, kind: 'mod', name, items: body })
      return body === undefined ? i + 3 : close.get(i + 2) + 1
    }
    case 'struct':
    case 'union':
    case 'enum':
      return typeItem(file, i, to, head, items)
    case 'trait':
    case 'impl':
      return blockItem(file, i, head, items)
    case 'fn':
      return fnItem(file, i, head, items)
    case 'const':
    case 'static': {
      const at = name === 'mut' ? i + 2 : i + 1
      const type = tokens[at + 1].text === ':' ? parseType(file, at + 2)[0] : undefined
      items.push({ ...head, kind: 'const', name: tokens[at].text, type })
      return endOf(file, i, to)
    }
    case 'type': {
      const [generics, behind] = genericsAt(file, i + 2)
      let equals = behind
      while (equals < to && !/^[=;]$/.test(tokens[equals].text)) equals++
      const type = tokens[equals].text === '=' ? parseType(file, equals + 1)[0] : undefined
      items.push({ ...head, kind: 'alias', name, generics, type })
      return endOf(file, i, to)
    }
    case 'macro_rules': {
      const open = i + 3
      file.tests.push([i, close.get(open) + 1])
      return close.get(open) + 1
    }
    default:
      return endOf(file, i, to)
  }
}

/** Index behind an item that ends with `;` or a block. */
function endOf({ tokens, close }, at, to) {
  for (let i = at; i < to; i++) {
    if (tokens[i].text === ';') return i + 1
    if (tokens[i].text === '{' && !isUseBrace(tokens, i)) {
      const end = close.get(i) + 1
      return tokens[end]?.text === ';' ? end + 1 : end
    }
    if (close.has(i)) i = close.get(i)
  }
  return to
}

const isUseBrace = (tokens, i) =>
  tokens[i - 1]?.text === '::' || tokens[i - 1]?.text === 'use' || tokens[i - 1]?.text === '='

function genericsAt(file, at) {
  if (file.tokens[at]?.text !== '<') return [[], at]
  const end = angleEnd(file, at)
  return [parseGenerics(file, at + 1, end - 1), end]
}

/** A `where` clause from `at` to the `{` or `;` behind it. */
function whereAt(file, at) {
  let end = at
  while (!/^[{;]$/.test(file.tokens[end].text)) end = file.close.has(end) ? file.close.get(end) + 1 : end + 1
  return [file.tokens[at].text === 'where' ? parseGenerics(file, at + 1, end) : [], end]
}

function typeItem(file, at, to, head, items) {
  const { tokens, close } = file
  const [generics, behind] = genericsAt(file, at + 2)
  let i = behind
  const item = { ...head, kind: 'type', name: tokens[at + 1].text, generics, fields: [], variants: new Map() }
  items.push(item)
  if (tokens[i].text === 'where') i = whereAt(file, i)[1]
  if (tokens[i].text === '{' && tokens[at].text === 'enum') readVariants(file, i + 1, close.get(i), item)
  else if (tokens[i].text === '{' || tokens[i].text === '(') item.fields = readFields(file, i, close.get(i))
  return endOf(file, i, to)
}

/** Fields in `{}` or `()`; those of a tuple are named by their number. */
export function readFields(file, open, end) {
  const { tokens, close } = file
  const isTuple = tokens[open].text === '('
  const fields = []
  for (let i = open + 1; i < end; ) {
    while (tokens[i].text === '#') i = close.get(i + 1) + 1
    const isPublic = tokens[i].text === 'pub'
    const { line } = tokens[i]
    if (isPublic) i = tokens[i + 1].text === '(' && tokens[i + 1 + 1].kind === 'word' ? close.get(i + 1) + 1 : i + 1
    const name = isTuple ? String(fields.length) : tokens[i].text
    const [type, behind] = parseType(file, isTuple ? i : i + 2)
    fields.push({ name, type, isPublic, line })
    i = behind
    while (i < end && tokens[i].text !== ',') i = close.has(i) ? close.get(i) + 1 : i + 1
    i++
  }
  return fields
}

function readVariants(file, from, to, item) {
  const { tokens, close } = file
  for (let i = from; i < to; ) {
    while (tokens[i].text === '#') i = close.get(i + 1) + 1
    const name = tokens[i].text
    const open = i + 1
    const hasFields = tokens[open].text === '{' || tokens[open].text === '('
    item.variants.set(name, hasFields ? readFields(file, open, close.get(open)) : [])
    while (i < to && tokens[i].text !== ',') i = close.has(i) ? close.get(i) + 1 : i + 1
    i++
  }
}

function blockItem(file, at, head, items) {
  const { tokens, close } = file
  const isTrait = tokens[at].text === 'trait'
  let [generics, i] = genericsAt(file, isTrait ? at + 2 : at + 1)
  let type
  let of
  if (!isTrait) {
    if (tokens[i].text === '!') i++
    ;[type, i] = parseType(file, i)
    if (tokens[i].text === 'for') {
      of = type
      ;[type, i] = parseType(file, i + 1)
    }
  }
  const [bounds, open] = whereAt(file, i)
  generics = [...generics, ...bounds]
  const inner = tokens[open].text === '{' ? parseItems(file, open + 1, close.get(open)) : []
  const name = isTrait ? tokens[at + 1].text : undefined
  items.push({ ...head, kind: isTrait ? 'trait' : 'impl', name, type, of, generics, items: inner })
  return (close.get(open) ?? open) + 1
}

export function fnItem(file, at, head, items) {
  const { tokens, close } = file
  const [generics, open] = genericsAt(file, at + 2)
  const end = close.get(open)
  const params = []
  for (let i = open + 1; i < end; ) {
    let to = i
    while (to < end && tokens[to].text !== ',') to = nextOf(file, to)
    if (to > i) params.push(param(file, i, to))
    i = to + 1
  }
  let i = end + 1
  let ret
  if (tokens[i].text === '->') [ret, i] = parseType(file, i + 1)
  const [bounds, body] = whereAt(file, i)
  const hasBody = tokens[body].text === '{'
  items.push({
    ...head,
    kind: 'fn',
    name: tokens[at + 1].text,
    generics: [...generics, ...bounds],
    params,
    ret,
    body: hasBody ? [body + 1, close.get(body)] : undefined,
  })
  return hasBody ? close.get(body) + 1 : body + 1
}

const nextOf = (file, i) =>
  file.close.has(i) ? file.close.get(i) + 1 : file.tokens[i].text === '<' ? angleEnd(file, i) : i + 1

/** `{ pattern: [from, to], type }`; `self` without a type has the type `Self`. */
export function param(file, from, to) {
  let colon = from
  while (colon < to && file.tokens[colon].text !== ':') colon = nextOf(file, colon)
  if (colon < to) return { pattern: [from, colon], type: parseType(file, colon + 1)[0] }
  const isSelf = file.tokens.slice(from, to).some(token => token.text === 'self')
  return { pattern: [from, to], type: isSelf ? { path: ['Self'], args: [] } : undefined }
}
