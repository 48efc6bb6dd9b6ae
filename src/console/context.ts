/** What a command gets: its arguments and options, and the only ways to print. */

import { hostBytes } from '../base/host-text.ts'
import { printable } from '../base/printable.ts'
import type { Palette } from './colour.ts'
import type { ExitTable } from './exit-codes.ts'
import { type JsonObject, jsonText } from './json.ts'
import type { OptionValues } from './options.ts'
import { type PassSettings, Progress } from './progress.ts'
import { formatSize, type SizeStyle } from './size.ts'

export interface Stream {
  write(text: string): void
  /** Plain bytes, for contents of files. */
  writeBytes(bytes: Uint8Array): void
  readonly isTerminal: boolean
  readonly columns: number
}

/** The world around a command; tests pass their own. */
export interface Io {
  readonly stdout: Stream
  readonly stderr: Stream
  readonly stdinIsTerminal: boolean
  readonly env: Readonly<Record<string, string | undefined>>
}

/** What was asked for, and where to print. */
export interface ContextSettings {
  /** `mkfs.hn4`, `hn4 info`: begins every line on stderr. */
  readonly tool: string
  /** The convention of its exit codes. */
  readonly exits: ExitTable
  /** Positional arguments in order; required ones are there. */
  readonly args: readonly string[]
  readonly options: OptionValues
  readonly io: Io
  readonly sizes: SizeStyle
  readonly isJson: boolean
  readonly isQuiet: boolean
  readonly isVerbose: boolean
  /** Colours for stdout; they do nothing where colour is off. */
  readonly colour: Palette
  /** Aborted by Ctrl-C or SIGTERM for a `cancellable` command: stop soon and return EXIT.CANCELLED. */
  readonly cancelled: AbortSignal
}

class ContextMethods {
  readonly #settings: ContextSettings

  constructor(settings: ContextSettings) {
    this.#settings = settings
  }

  /** The value of a required argument. */
  arg(index: number): string {
    const value = this.#settings.args[index]
    if (value === undefined) throw new TypeError(`no argument ${index}`)
    return value
  }

  /** A line for people, on stdout; nothing with --quiet or --json. */
  print(line = ''): void {
    const { isQuiet, isJson, io } = this.#settings
    if (!isQuiet && !isJson) io.stdout.write(`${line}\n`)
  }

  /** A line that was asked for (a listing, a value): also with --quiet. */
  result(line = ''): void {
    const { isJson, io } = this.#settings
    if (!isJson) io.stdout.write(`${line}\n`)
  }

  /** A path of the host that was asked for: with all its bytes for a program, escaped on a terminal. */
  name(path: string): void {
    const { isJson, io } = this.#settings
    if (isJson) return
    if (io.stdout.isTerminal) io.stdout.write(`${printable(path)}\n`)
    else io.stdout.writeBytes(hostBytes(`${path}\n`))
  }

  /** The one document of --json. */
  json(document: JsonObject): void {
    this.#settings.io.stdout.write(`${jsonText(document)}\n`)
  }

  /** A remark on stderr, one line; nothing with --quiet. */
  note(line: string): void {
    const { isQuiet, io, tool } = this.#settings
    if (!isQuiet) io.stderr.write(`${printable(`${tool}: ${line}`)}\n`)
  }

  size(bytes: number | bigint): string {
    return formatSize(bytes, this.#settings.sizes)
  }

  progress(pass: PassSettings): Progress {
    const { isQuiet, isJson, io, sizes } = this.#settings
    return new Progress({ target: io.stderr, enabled: !isQuiet && !isJson, sizes }, pass)
  }
}

/** What a command's `run` gets. */
export type Context = ContextSettings & ContextMethods

export function newContext(settings: ContextSettings): Context {
  return Object.assign(new ContextMethods(settings), settings)
}
