/**
 * What goes over a control socket: lines of JSON (docs/control.md). A line that is too long, not UTF-8
 * or not an object of this version ends the connection; nothing is done for it.
 */
import { Fields } from './fields.ts'

/** Raised when a message changes its meaning. New requests and new fields of answers do not raise it. */
export const PROTOCOL_VERSION = 1

export const REQUEST_BYTES_MAX = 64 << 10
export const REPLY_BYTES_MAX = 1 << 20

export const ERROR_CODES = [
  'MALFORMED', // not a line of this protocol
  'VERSION', // of another version
  'UNKNOWN', // no such request
  'ARGUMENT', // the request's arguments are wrong
  'ACCESS', // the peer may not ask
  'BUSY', // too many connections
  'LATE', // the peer took too long
  'FAILED', // it did not work
] as const

export type ControlErrorCode = (typeof ERROR_CODES)[number]

/** What the daemon answers instead of an answer. */
export class ControlError extends Error {
  override readonly name = 'ControlError'
  readonly code: ControlErrorCode

  constructor(code: ControlErrorCode, text: string, options?: ErrorOptions) {
    super(text, options)
    this.code = code
  }
}

export interface Request {
  readonly name: string
  readonly arguments: Fields
}

export type Reply =
  | { readonly is: 'progress' | 'answer'; readonly fields: Fields }
  | { readonly is: 'error'; readonly error: ControlError }

const LINE_FEED = 0x0a
const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** Cuts what arrives into lines. */
export class LineReader {
  #bytes: Buffer = Buffer.alloc(0)
  readonly #most: number

  /** `most`: bytes of a line, with its line feed. */
  constructor(most: number) {
    this.#most = most
  }

  push(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
  }

  /** The next whole line, without its line feed; undefined if there is none yet. Throws MALFORMED if it is too long. */
  next(): Buffer | undefined {
    const end = this.#bytes.indexOf(LINE_FEED)
    if ((end < 0 ? this.#bytes.length : end) >= this.#most) {
      throw new ControlError('MALFORMED', `a line of more than ${this.#most} bytes`)
    }
    if (end < 0) return undefined
    const line = this.#bytes.subarray(0, end)
    this.#bytes = this.#bytes.subarray(end + 1)
    return line
  }
}

function parse(line: Buffer): Fields {
  let value: unknown
  try {
    value = JSON.parse(UTF8.decode(line))
  } catch (error) {
    throw new ControlError('MALFORMED', 'not a line of JSON', { cause: error })
  }
  const fields = Fields.of(value)
  if (fields === undefined) throw new ControlError('MALFORMED', 'not a JSON object')
  const version = fields.number('version')
  if (version !== PROTOCOL_VERSION) {
    throw new ControlError('VERSION', `protocol version ${version}; this is ${PROTOCOL_VERSION}`)
  }
  return fields
}

/** Runs a parser; what it says about a wrong shape gets the code. */
export function shaped<T>(code: ControlErrorCode, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof ControlError) throw error
    throw new ControlError(code, (error as Error).message, { cause: error })
  }
}

/** Throws MALFORMED or VERSION. */
export function parseRequest(line: Buffer): Request {
  return shaped('MALFORMED', () => {
    const fields = parse(line)
    fields.only('version', 'request', 'arguments')
    return { name: fields.text('request'), arguments: fields.optionalFields('arguments') ?? Fields.none }
  })
}

/** Throws MALFORMED or VERSION. */
export function parseReply(line: Buffer): Reply {
  return shaped('MALFORMED', () => {
    const fields = parse(line)
    for (const is of ['progress', 'answer'] as const) {
      const found = fields.optionalFields(is)
      if (found !== undefined) return { is, fields: found }
    }
    const error = fields.optionalFields('error')
    if (error === undefined) throw new TypeError('neither progress nor answer nor error')
    const code = ERROR_CODES.find(known => known === error.text('code')) ?? 'FAILED'
    return { is: 'error', error: new ControlError(code, error.text('text')) }
  })
}

const lineOf = (body: object): string => `${JSON.stringify({ version: PROTOCOL_VERSION, ...body })}\n`

export const requestLine = (name: string, args: object): string => lineOf({ request: name, arguments: args })

export const replyLine = (is: 'progress' | 'answer', value: object): string => lineOf({ [is]: value })

export const errorLine = ({ code, message }: ControlError): string => lineOf({ error: { code, text: message } })
