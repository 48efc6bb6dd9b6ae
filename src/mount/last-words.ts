/**
 * How the process of a mount ended, for whoever waits for it and is not its parent: it keeps a file in memory
 * (native/node/src/last_words.rs), found by its descriptor and opened before the end, read after it.
 */
import { closeSync, openSync, readlinkSync, readRestSync } from '../base/host-files.ts'
import { addon } from '../native/addon.ts'
import type { Failure } from '../native/failure.ts'
import { names, type Process } from './processes.ts'

const FILE = '/memfd:hn4-last-words (deleted)'
/** What a mount leaves that ended as it should. */
const CLEAN = 'clean'

export function keepLastWords(): void {
  const failure = addon().keepLastWords()
  if (failure !== undefined) addon().logLine(`hn4 umount will not hear how it ends: ${failure.text}`)
}

/** `failure`: what went wrong closing the volume. */
export function sayLastWords(failure: Failure | undefined): void {
  // Where there is no file for them it was said at the start.
  addon().lastWords(failure === undefined ? CLEAN : failure.text || failure.code)
}

/** How it ended: well, with what went wrong, or without a word (killed). */
export type End =
  | { readonly is: 'clean' }
  | { readonly is: 'failed'; readonly text: string }
  | { readonly is: 'silent' }

export class LastWords {
  readonly #fd: number

  private constructor(fd: number) {
    this.#fd = fd
  }

  /** Undefined if this user may not look at the process, or it keeps none. */
  static of({ pid }: Process): LastWords | undefined {
    const folder = `/proc/${pid}/fd`
    try {
      const name = names(folder).find(fd => readlinkSync(`${folder}/${fd}`) === FILE)
      return name === undefined ? undefined : new LastWords(openSync(`${folder}/${name}`, 'r'))
    } catch {
      // It has just ended, or is another user's.
      return undefined
    }
  }

  /** To be read when the process has ended. */
  read(): End {
    try {
      const text = readRestSync(this.#fd)
      if (text === CLEAN) return { is: 'clean' }
      return text === '' ? { is: 'silent' } : { is: 'failed', text }
    } finally {
      closeSync(this.#fd)
    }
  }
}
