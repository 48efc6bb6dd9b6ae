/** `trim`: the host is told which blocks of a mounted volume are free. */
import type { Fields } from '../fields.ts'
import { noArguments, type RequestKind } from '../request.ts'

export interface Trimmed {
  /** Blocks that were discarded. */
  readonly blocks: number
}

const readTrimmed = (fields: Fields): Trimmed => ({ blocks: fields.number('blocks') })

export const trim: RequestKind<object, Trimmed> = { name: 'trim', arguments: noArguments, answer: readTrimmed }
