/**
 * The shape of a request: its name, and how the other side's words are read. One file per kind in
 * requests/; what the daemon does for it stands in src/mount/requests/.
 */
import type { Fields } from './fields.ts'

export interface RequestKind<Arguments extends object, Answer extends object> {
  readonly name: string
  /** Reads what a client sent. Throws a TypeError if it has another shape. */
  readonly arguments: (fields: Fields) => Arguments
  /** Reads what a daemon sent, perhaps a later one: more fields than are known are no error. */
  readonly answer: (fields: Fields) => Answer
}

/** For the `arguments` of a kind that has none. */
export function noArguments(fields: Fields): object {
  fields.only()
  return {}
}

/** The connection that a request came over. */
export interface Exchange {
  /** Sends a line before the answer; resolves when the client can take more. */
  progress(value: object): Promise<void>
  /** Aborted when the client has gone. */
  readonly cancelled: AbortSignal
}

/** A request with what is done for it. */
export interface Handler {
  readonly name: string
  /** Reads the arguments; the work begins only when the result is called. Throws a TypeError. */
  readonly prepare: (fields: Fields) => (exchange: Exchange) => Promise<object>
}

/** What the server calls for a request of this kind. */
export function handler<Arguments extends object, Answer extends object>(
  kind: RequestKind<Arguments, Answer>,
  serve: (args: Arguments, exchange: Exchange) => Answer | Promise<Answer>,
): Handler {
  return {
    name: kind.name,
    prepare(fields) {
      const args = kind.arguments(fields)
      return async exchange => await serve(args, exchange)
    },
  }
}
