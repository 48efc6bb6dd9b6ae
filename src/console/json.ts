/**
 * Output for programs: one JSON document, `schema` first, snake_case names. What can exceed 2^53 is a
 * bigint and always printed as a decimal string, the rest a number: by field, never by value (docs/json.md).
 */
import { hex } from '../base/bytes.ts'
import { hostBytes, isUtf8 } from '../base/host-text.ts'
import { printableBytes } from '../base/printable.ts'

export type JsonValue = string | number | bigint | boolean | null | readonly JsonValue[] | JsonObject
export interface JsonObject {
  readonly [name: string]: JsonValue | undefined
}

/** Version of the documents: raised when a name changes its meaning or goes; new names do not raise it. */
export const JSON_SCHEMA = 1

const SNAKE = /^[a-z0-9]+(_[a-z0-9]+)*$/

/** Deeper values are not indented further: a tree of thousands of levels would be nothing but spaces. */
const INDENT_MAX = 64

/** An object or array that is being written. */
interface Open {
  /** What stands before each value, and the value. */
  readonly items: Iterator<readonly [before: string, value: JsonValue]>
  readonly close: '}' | ']'
  isEmpty: boolean
}

/** A value that is neither object nor array. Throws for a number that may not be exact. */
function plain(value: string | number | bigint | boolean | null, before: string): string {
  if (typeof value === 'bigint') return `"${value}"`
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new TypeError(`${before.replace(/[": ]/g, '')}: ${value} has to be a string`)
  }
  return JSON.stringify(value)
}

/** A text with bytes that are not UTF-8 is written as people see it, and as `NAME_hex` beside it. */
function* fieldsOf(object: JsonObject, colon: string): Generator<readonly [string, JsonValue]> {
  for (const [name, value] of Object.entries(object)) {
    if (!SNAKE.test(name)) throw new TypeError(`JSON name not in snake_case: ${name}`)
    if (value === undefined) continue
    const isPlain = typeof value !== 'string' || isUtf8(value)
    yield [`"${name}"${colon}`, isPlain ? value : printableBytes(hostBytes(value))]
    if (!isPlain) yield [`"${name}_hex"${colon}`, hex(hostBytes(value))]
  }
}

function* itemsOf(array: readonly JsonValue[]): Generator<readonly [string, JsonValue]> {
  for (const value of array) yield ['', value ?? null]
}

const isArray = (value: object): value is readonly JsonValue[] => Array.isArray(value)

/**
 * The document's text: indented, or on one line (for streams of documents). As JSON.stringify writes
 * it, but with a list of what is open instead of recursion: a tree is as deep as programs make it.
 */
export function jsonText(document: JsonObject, oneLine = false): string {
  const out: string[] = []
  const open: Open[] = []
  const colon = oneLine ? ':' : ': '
  const newLine = () => (oneLine ? '' : `\n${'  '.repeat(Math.min(open.length, INDENT_MAX))}`)
  const write = (value: JsonValue, before: string): void => {
    if (typeof value !== 'object' || value === null) out.push(plain(value, before))
    else if (isArray(value)) {
      out.push('[')
      open.push({ items: itemsOf(value), close: ']', isEmpty: true })
    } else {
      out.push('{')
      open.push({ items: fieldsOf(value, colon), close: '}', isEmpty: true })
    }
  }
  write({ schema: JSON_SCHEMA, ...document }, '')
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const item = top.items.next()
    if (item.done === true) {
      open.pop()
      out.push(top.isEmpty ? top.close : `${newLine()}${top.close}`)
      continue
    }
    out.push(top.isEmpty ? newLine() : `,${newLine()}`, item.value[0])
    top.isEmpty = false
    write(item.value[1], item.value[0])
  }
  return out.join('')
}
