/**
 * Errors of hn4's own: a code, one sentence, and the numbers that belong to it.
 *
 * A code is thrown in one place where that is possible; which exit code or errno it becomes is
 * decided at the edge (src/console/failure.ts), by its class.
 */

/** What kind of trouble a code means; the exit code follows from it. */
export type ErrorClass =
  | 'damage' // stored bytes break a rule of docs/format.md
  | 'foreign' // not an hn4 volume, or one this version does not read
  | 'missing' // no such file, entry or volume
  | 'exists'
  | 'kind' // a directory where a file is wanted, or the reverse
  | 'access' // refused by permissions or flags
  | 'busy' // in use by another process
  | 'space'
  | 'unsupported'
  | 'argument'
  | 'io' // the device or the host refused
  | 'internal'

const CODES = {
  DAMAGED: ['damage', 'damaged metadata'],
  DATA_DAMAGED: ['damage', 'damaged data'],
  NOT_HN4: ['foreign', 'not an hn4 volume'],
  VERSION: ['foreign', 'a format this version does not read'],
  NOT_FOUND: ['missing', 'no such file or directory'],
  EXISTS: ['exists', 'already there'],
  NOT_DIRECTORY: ['kind', 'not a directory'],
  IS_DIRECTORY: ['kind', 'is a directory'],
  ACCESS: ['access', 'permission denied'],
  BUSY: ['busy', 'in use'],
  NO_SPACE: ['space', 'no space left'],
  TOO_SMALL: ['space', 'too small'],
  UNSUPPORTED: ['unsupported', 'not supported'],
  ARGUMENT: ['argument', 'bad argument'],
  IO: ['io', 'input/output error'],
  ADDON_MISSING: ['internal', 'the native addon is missing'],
  ADDON_MISMATCH: ['internal', 'the native addon does not fit this version'],
} as const satisfies Record<string, readonly [ErrorClass, string]>

export type ErrorCode = keyof typeof CODES

/** Numbers and names that belong to an error; `path` and `hint` are shown apart from the rest. */
export interface ErrorDetail {
  /** The image, file or directory that is meant. */
  readonly path?: string
  /** What the user can do about it, without a full stop. */
  readonly hint?: string
  /** Replaces the code's own sentence, without a full stop. */
  readonly text?: string
  readonly [name: string]: string | number | bigint | boolean | undefined
}

const APART = new Set(['path', 'hint', 'text'])

export class Hn4Error extends Error {
  override readonly name = 'Hn4Error'
  readonly code: ErrorCode
  readonly detail: ErrorDetail

  constructor(code: ErrorCode, detail: ErrorDetail = {}, options?: ErrorOptions) {
    const numbers = Object.entries(detail)
      .filter(([name, value]) => !APART.has(name) && value !== undefined)
      .map(([name, value]) => `${name} ${value}`)
    const text = detail.text ?? CODES[code][1]
    super(numbers.length > 0 ? `${text} (${numbers.join(', ')})` : text, options)
    this.code = code
    this.detail = detail
  }

  get class(): ErrorClass {
    return CODES[this.code][0]
  }
}
