// What a function's body does, in the order of its text: calls, fields and paths of this crate. One pass
// over the tokens with the types of local names, as far as they are known; no full parser.
import { chain } from './chains.mjs'
import { element, norm, scopeOf, withGenerics } from './infer.mjs'
import { fnItem } from './items.mjs'
import { bind } from './patterns.mjs'
import { parseType } from './types.mjs'

const WORDS = new Set([
  'return',
  'break',
  'continue',
  'move',
  'else',
  'unsafe',
  'loop',
  'async',
  'mut',
  'ref',
  'dyn',
  'in',
  'box',
])
const PREFIX = new Set(['&', '*', '!', '-', '..', '..=', 'mut', 'move', 'return', 'break', 'unsafe', 'loop', 'else'])

/**
 * Events of a function: `{ kind: 'call' | 'guess' | 'ambiguous', fns, name, line }`, `{ kind: 'field', owner, field }`,
 * `{ kind: 'path', def }`. `guess`: the receiver is not known, and one type alone has such a method.
 */
export function eventsOf(crate, fn) {
  if (fn.events !== undefined) return fn.events
  fn.events = []
  if (fn.body === undefined) return fn.events
  const walker = new Walker(crate, fn)
  for (const { pattern, type } of fn.params) walker.bindParam(pattern, norm(type, walker.scope))
  walker.walk(fn.body[0], fn.body[1])
  return fn.events
}

export class Walker {
  constructor(crate, fn) {
    this.crate = crate
    this.file = crate.files.get(fn.file)
    this.tokens = this.file.tokens
    this.close = this.file.close
    this.scope = scopeOf(crate, fn)
    this.names = [new Map()]
    this.events = fn.events
  }

  text(i) {
    return this.tokens[i]?.text
  }

  /** Type of a local name; undefined if it is none, `null` if it is one of unknown type. */
  local(name) {
    for (let i = this.names.length - 1; i >= 0; i--) if (this.names[i].has(name)) return this.names[i].get(name) ?? null
    return undefined
  }

  set(name, type) {
    this.names.at(-1).set(name, type)
  }

  bindParam([from, to], type) {
    if (this.tokens.slice(from, to).some(token => token.text === 'self')) this.set('self', type)
    else bind(this, from, to, type)
  }

  scoped(body) {
    this.names.push(new Map())
    const { scope } = this
    try {
      return body()
    } finally {
      this.scope = scope
      this.names.pop()
    }
  }

  /** Walks a range of tokens; its type where the last statement is one chain. */
  walk(from, to) {
    let type
    let isStart = true
    for (let i = from; i < to; ) {
      const { text, kind } = this.tokens[i]
      if (text === ';' || text === ',') {
        type = undefined
        isStart = true
        i++
      } else if (text === '#' && this.text(i + 1) === '[') i = this.close.get(i + 1) + 1
      else if (text === 'let') i = this.letAt(i, to)
      else if (text === 'use') {
        const end = this.semicolon(i, to)
        this.scope = { ...this.scope, module: this.crate.addUse(this.scope.module, this.file, i + 1, end) }
        i = end
      } else if (text === 'fn') i = this.innerFn(i)
      else if (/^(const|static)$/.test(text) && this.text(i + 2) === ':') {
        this.set(this.text(i + 1), norm(parseType(this.file, i + 3)[0], this.scope))
        i += 3
      } else {
        const [got, behind] = this.part(i, to, isStart)
        if (isStart && got !== undefined) type = got
        else if (!isStart && behind > i && text !== 'else') type = undefined
        if (text === 'else' || (text === '{' && this.text(behind) === 'else'))
          isStart = text === 'else' ? isStart : true
        else if (!(PREFIX.has(text) || kind === 'lifetime' || text === ':')) isStart = this.endsStatement(i, behind)
        i = behind
      }
    }
    return type
  }

  /** A block ends a statement without `;`. */
  endsStatement(from, behind) {
    return (
      this.text(behind - 1) === '}' &&
      /^(\{|if|match|while|for|loop|unsafe)$/.test(this.text(from) ?? '') &&
      !/^[.?]$/.test(this.text(behind) ?? '')
    )
  }

  part(i, to, isStart) {
    const { text, kind } = this.tokens[i]
    if (text === 'if' || text === 'while') return this.condition(i, to)
    if (text === 'match') return this.match(i, to)
    if (text === 'for' && this.text(i + 1) !== '<') return this.forAt(i, to)
    if (text === '{') return [this.scoped(() => this.walk(i + 1, this.close.get(i))), this.close.get(i) + 1]
    if (text === '|' && isStart) return this.closure(i, to, [])
    if (kind === 'lifetime' || WORDS.has(text)) return [undefined, i + 1]
    if (text === 'as') return [norm(parseType(this.file, i + 1)[0], this.scope), parseType(this.file, i + 1)[1]]
    if (kind !== 'mark' || text === '(' || text === '[' || (text === '<' && isStart)) return chain(this, i, to)
    return [undefined, i + 1]
  }

  semicolon(i, to) {
    let end = i
    while (end < to && this.text(end) !== ';') end = this.close.has(end) ? this.close.get(end) + 1 : end + 1
    return end
  }

  /** First index of one of `marks` outside brackets. */
  find(i, to, ...marks) {
    let at = i
    while (at < to && !marks.includes(this.text(at))) at = this.close.has(at) ? this.close.get(at) + 1 : at + 1
    return at
  }

  letAt(i, to) {
    const end = this.semicolon(i, to)
    const equals = this.find(i + 1, end, '=')
    const colon = this.find(i + 1, equals, ':')
    const annotated = colon < equals ? norm(parseType(this.file, colon + 1)[0], this.scope) : undefined
    let valueEnd = end
    if (this.text(end - 1) === '}' && this.text(equals + 1) !== 'if') {
      const block = this.find(equals + 1, end, 'else')
      if (block < end && this.text(block + 1) === '{' && this.close.get(block + 1) === end - 1) {
        valueEnd = block
      }
    }
    const type = equals < end ? this.walk(equals + 1, valueEnd) : undefined
    if (valueEnd < end) this.scoped(() => this.walk(valueEnd + 2, end - 1))
    bind(this, i + 1, Math.min(colon, equals), annotated ?? type)
    return end
  }

  /** `if` and `while` with their block; names of `let` in the condition hold inside. */
  condition(i, to) {
    const open = this.find(i + 1, to, '{')
    if (open >= to) return [undefined, i + 1]
    return this.scoped(() => {
      this.conditionParts(i + 1, open)
      const end = this.close.get(open)
      const type = this.scoped(() => this.walk(open + 1, end))
      return [type, end + 1]
    })
  }

  conditionParts(from, to) {
    for (let at = from; at < to; ) {
      let end = at
      while (end < to && !(this.text(end) === '&' && this.text(end + 1) === '&' && this.tokens[end - 1].text !== '&')) {
        end = this.close.has(end) ? this.close.get(end) + 1 : end + 1
      }
      if (this.text(at) === 'let') {
        const equals = this.find(at, end, '=')
        bind(this, at + 1, equals, this.walk(equals + 1, end))
      } else this.walk(at, end)
      at = end + 2
    }
  }

  match(i, to) {
    const open = this.find(i + 1, to, '{')
    if (open >= to) return [undefined, i + 1]
    const value = this.walk(i + 1, open)
    const end = this.close.get(open)
    let type
    for (let at = open + 1; at < end; ) {
      const arrow = this.find(at, end, '=>')
      if (arrow >= end) break
      const guard = this.find(at, arrow, 'if')
      let behind = arrow + 1
      if (this.text(behind) === '{') behind = this.close.get(behind) + 1
      if (this.text(behind) !== ',' && this.text(arrow + 1) === '{') {
        // A block arm without a comma.
      } else behind = this.find(behind, end, ',')
      this.scoped(() => {
        bind(this, at, guard, value)
        this.walk(guard + 1, arrow)
        type = this.walk(arrow + 1, behind) ?? type
      })
      at = this.text(behind) === ',' ? behind + 1 : behind
    }
    return [type, end + 1]
  }

  forAt(i, to) {
    const inAt = this.find(i + 1, to, 'in')
    const open = this.find(inAt + 1, to, '{')
    if (open >= to) return [undefined, i + 1]
    const each = element(this.crate, this.walk(inAt + 1, open))
    this.scoped(() => {
      bind(this, i + 1, inAt, each)
      this.walk(open + 1, this.close.get(open))
    })
    return [undefined, this.close.get(open) + 1]
  }

  /** `|a, b: T| body`, the body up to `to`; `hints`: types of parameters that say none. */
  closure(i, to, hints) {
    let bar = i + 1
    while (bar < to && this.text(bar) !== '|') bar = this.close.has(bar) ? this.close.get(bar) + 1 : bar + 1
    return this.scoped(() => {
      let count = 0
      for (let at = i + 1; at < bar; count++) {
        const end = this.paramEnd(at, bar)
        const colon = this.find(at, end, ':')
        const type = colon < end ? norm(parseType(this.file, colon + 1)[0], this.scope) : hints[count]
        bind(this, at, colon, type)
        at = end + 1
      }
      let body = bar + 1
      if (this.text(body) === '->') body = parseType(this.file, body + 1)[1]
      const ret = this.walk(body, to)
      return [{ closure: true, ret }, to]
    })
  }

  paramEnd(at, to) {
    let depth = 0
    for (let i = at; i < to; i++) {
      if (this.close.has(i)) i = this.close.get(i)
      else if (this.text(i) === '<') depth++
      else if (this.text(i) === '>') depth--
      else if (this.text(i) === ',' && depth === 0) return i
    }
    return to
  }

  /** A function inside a function: walked where it stands, known by its name behind it. */
  innerFn(i) {
    const items = []
    const end = fnItem(this.file, i, { vis: '' }, items)
    const [fn] = items
    const generics = withGenerics(this.scope.generics, fn.generics, this.scope)
    this.set(fn.name, { closure: true, ret: norm(fn.ret, { ...this.scope, generics }) })
    this.scoped(() => {
      this.scope = { ...this.scope, generics }
      for (const { pattern, type } of fn.params) this.bindParam(pattern, norm(type, this.scope))
      if (fn.body !== undefined) this.walk(fn.body[0], fn.body[1])
    })
    return end
  }
}
