/** What a command gets: its arguments and options, and the only ways to print. */
import type { Palette } from './colour.ts'
import type { Command, OptionKind } from './command.ts'
import { printable } from './failure.ts'
import { type JsonObject, jsonText } from './json.ts'
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

export type OptionValue = boolean | string | number | readonly string[]

/** Parsed options by long name. Asking for an undeclared one is a bug of the command and throws. */
export class OptionValues {
  readonly #kinds: ReadonlyMap<string, OptionKind>
  readonly #values: ReadonlyMap<string, OptionValue>

  constructor(kinds: ReadonlyMap<string, OptionKind>, values: ReadonlyMap<string, OptionValue>) {
    this.#kinds = kinds
    this.#values = values
  }

  #get(name: string, kinds: readonly OptionKind[]): OptionValue | undefined {
    const kind = this.#kinds.get(name)
    if (kind === undefined || !kinds.includes(kind)) throw new TypeError(`no option ${name} of kind ${kinds.join('|')}`)
    return this.#values.get(name)
  }

  flag(name: string): boolean {
    return this.#get(name, ['flag']) === true
  }

  text(name: string): string | undefined {
    return this.#get(name, ['text', 'choice']) as string | undefined
  }

  /** Bytes of a size option, or the number of a count option. */
  number(name: string): number | undefined {
    return this.#get(name, ['size', 'count']) as number | undefined
  }

  list(name: string): readonly string[] {
    return (this.#get(name, ['list']) as readonly string[] | undefined) ?? []
  }
}

export interface ContextSettings {
  readonly tool: string
  readonly command: Command
  readonly args: readonly string[]
  readonly options: OptionValues
  readonly io: Io
  readonly sizes: SizeStyle
  readonly isJson: boolean
  readonly isQuiet: boolean
  readonly isVerbose: boolean
  readonly colour: Palette
  readonly cancelled: AbortSignal
}

export class Context {
  /** `mkfs.hn4`, `hn4 info`: begins every line on stderr. */
  readonly tool: string
  readonly command: Command
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

  constructor(settings: ContextSettings) {
    this.tool = settings.tool
    this.command = settings.command
    this.args = settings.args
    this.options = settings.options
    this.io = settings.io
    this.sizes = settings.sizes
    this.isJson = settings.isJson
    this.isQuiet = settings.isQuiet
    this.isVerbose = settings.isVerbose
    this.colour = settings.colour
    this.cancelled = settings.cancelled
  }

  /** The value of a required argument. */
  arg(index: number): string {
    const value = this.args[index]
    if (value === undefined) throw new TypeError(`no argument ${index}`)
    return value
  }

  /** A line for people, on stdout; nothing with --quiet or --json. */
  print(line = ''): void {
    if (!this.isQuiet && !this.isJson) this.io.stdout.write(`${line}\n`)
  }

  /** A line that was asked for (a listing, a value): also with --quiet. */
  result(line = ''): void {
    if (!this.isJson) this.io.stdout.write(`${line}\n`)
  }

  /** The one document of --json. */
  json(document: JsonObject): void {
    this.io.stdout.write(`${jsonText(document)}\n`)
  }

  /** A remark on stderr, one line; nothing with --quiet. */
  note(line: string): void {
    if (!this.isQuiet) this.io.stderr.write(`${printable(`${this.tool}: ${line}`)}\n`)
  }

  size(bytes: number | bigint): string {
    return formatSize(bytes, this.sizes)
  }

  progress(pass: PassSettings): Progress {
    const enabled = !this.isQuiet && !this.isJson
    return new Progress({ target: this.io.stderr, enabled, sizes: this.sizes }, pass)
  }
}
