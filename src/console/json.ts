/** Output for programs: one JSON document, `schema` first, snake_case names, bytes as numbers. */

export type JsonValue = string | number | bigint | boolean | null | readonly JsonValue[] | JsonObject
export interface JsonObject {
  readonly [name: string]: JsonValue | undefined
}

/** Version of the documents: raised when a name changes its meaning or goes; new names do not raise it. */
export const JSON_SCHEMA = 1

const SNAKE = /^[a-z0-9]+(_[a-z0-9]+)*$/

function checkNames(value: JsonValue | undefined): void {
  if (Array.isArray(value)) {
    for (const item of value) checkNames(item)
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, item] of Object.entries(value as JsonObject)) {
      if (!SNAKE.test(name)) throw new TypeError(`JSON name not in snake_case: ${name}`)
      checkNames(item)
    }
  }
}

/** A 64-bit number stays a number where a double holds it exactly, and is a string otherwise. */
const plain = (_name: string, value: unknown) =>
  typeof value !== 'bigint' ? value : Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()

/** The document's text: indented, or on one line (for streams of documents). */
export function jsonText(document: JsonObject, oneLine = false): string {
  checkNames(document)
  return JSON.stringify({ schema: JSON_SCHEMA, ...document }, plain, oneLine ? 0 : 2)
}
