/**
 * How a command describes itself. One description serves the parser, `--help`, the man pages and
 * the shell completions, so that they cannot disagree.
 */
import type { Context } from './context.ts'
import type { ExitTable } from './exit-codes.ts'
import type { OptionDescription } from './options.ts'

export interface ArgumentDescription {
  /** In capitals: `IMAGE`. */
  readonly name: string
  readonly summary: string
  readonly optional?: boolean
  /** Takes all that is left; only the last argument may. */
  readonly many?: boolean
}

export interface Example {
  readonly line: string
  readonly meaning: string
}

export interface Command {
  /** `info`, or the whole tool's name: `mkfs.hn4`. */
  readonly name: string
  /** One line, lower case, without a full stop. */
  readonly summary: string
  /** Paragraphs for `--help` and the man page. */
  readonly description?: readonly string[]
  readonly exits: ExitTable
  readonly arguments?: readonly ArgumentDescription[]
  readonly options?: readonly OptionDescription[]
  /** Three at least. */
  readonly examples: readonly Example[]
  /** `scrub start`, `scrub status`; a command has these or `run`, or both (run = no subcommand given). */
  readonly commands?: readonly Command[]
  /** Common options that make no sense here: they are then unknown. */
  readonly without?: ReadonlyArray<CommonOption>
  /** Ctrl-C sets `ctx.cancelled` instead of ending the process; a second one ends it. */
  readonly cancellable?: boolean
  /** What is wrong with arguments that mean something else than this command can do; undefined: nothing. */
  readonly misread?: (args: readonly string[]) => string | undefined
  /** Returns the exit code. May throw: the runner prints one line and finds the code. */
  readonly run?: (ctx: Context) => number | Promise<number>
}

/** Options of every command, unless its `without` names them. */
export const COMMON_OPTIONS = [
  { name: 'json', kind: 'flag', summary: 'print one JSON document instead of text' },
  { name: 'color', kind: 'choice', value: 'WHEN', choices: ['auto', 'always', 'never'], summary: 'colour the output' },
  { name: 'raw', kind: 'flag', summary: 'show sizes in bytes' },
  { name: 'iec', kind: 'flag', summary: 'show sizes in powers of 1024 (default)' },
  { name: 'si', kind: 'flag', summary: 'show sizes in powers of 1000' },
  { name: 'quiet', short: 'q', kind: 'flag', summary: 'print errors and what was asked for, no remarks' },
  { name: 'verbose', short: 'v', kind: 'flag', summary: 'print more' },
] as const satisfies readonly OptionDescription[]

export type CommonOption = (typeof COMMON_OPTIONS)[number]['name']

/** Own options first; a common option gives way to an own one of its name, and its letter to an own letter. */
export function allOptions(command: Command): readonly OptionDescription[] {
  const own = command.options ?? []
  const letters = new Set(own.flatMap(option => [option.short, ...(option.alsoShort ?? [])]))
  const names = new Set(own.map(option => option.name))
  const common = (COMMON_OPTIONS as readonly OptionDescription[])
    .filter(option => !names.has(option.name) && !command.without?.includes(option.name as CommonOption))
    .map(option => {
      if (option.short === undefined || !letters.has(option.short)) return option
      const { short: _, ...rest } = option
      return rest
    })
  return [...own, ...common]
}
