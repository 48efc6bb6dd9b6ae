/** Output for programs: one JSON document, `schema` first, snake_case names, bytes as numbers. */

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

/** A 64-bit number stays a number where a double holds it exactly, and is a string otherwise. */
const plain = (value: JsonValue): JsonValue =>
  typeof value !== 'bigint' ? value : Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()

function* fieldsOf(object: JsonObject, colon: string): Generator<readonly [string, JsonValue]> {
  for (const [name, value] of Object.entries(object)) {
    if (!SNAKE.test(name)) throw new TypeError(`JSON name not in snake_case: ${name}`)
    if (value !== undefined) yield [`"${name}"${colon}`, value]
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
  const write = (value: JsonValue): void => {
    if (typeof value !== 'object' || value === null) out.push(JSON.stringify(plain(value)))
    else if (isArray(value)) {
      out.push('[')
      open.push({ items: itemsOf(value), close: ']', isEmpty: true })
    } else {
      out.push('{')
      open.push({ items: fieldsOf(value, colon), close: '}', isEmpty: true })
    }
  }
  write({ schema: JSON_SCHEMA, ...document })
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const item = top.items.next()
    if (item.done === true) {
      open.pop()
      out.push(top.isEmpty ? top.close : `${newLine()}${top.close}`)
      continue
    }
    out.push(top.isEmpty ? newLine() : `,${newLine()}`, item.value[0])
    top.isEmpty = false
    write(item.value[1])
  }
  return out.join('')
}
