/** Runs a tool: parses, prints help or version, calls the command, turns what is thrown into one line. */
import { hostArguments, hostEnvironment } from '../base/host-process.ts'
import { COLOUR_MODES, type ColourMode, palette, wantsColour } from './colour.ts'
import { allOptions, type Command } from './command.ts'
import { type Context, type Io, newContext, type Stream } from './context.ts'
import { EXIT, type ExitTable, MOUNT_EXIT } from './exit-codes.ts'
import { type Failure, failureLine, failureOf, UsageError } from './failure.ts'
import { helpText } from './help.ts'
import { jsonText } from './json.ts'
import type { OptionValues } from './options.ts'
import { type Parsed, parseCommandLine } from './parse.ts'
import type { SizeStyle } from './size.ts'
import { versionLine } from './version.ts'

/** Reads a common option of a command that may not have it. */
function commonFlag(command: Command, options: OptionValues, name: string): boolean {
  return allOptions(command).some(o => o.name === name && o.kind === 'flag') && options.flag(name)
}

function sizeStyle(command: Command, options: OptionValues): SizeStyle {
  const chosen = (['raw', 'iec', 'si'] as const).filter(name => commonFlag(command, options, name))
  if (chosen.length > 1) throw new UsageError(`--${chosen.join(' and --')} exclude each other`)
  return chosen[0] ?? 'iec'
}

function colourMode(command: Command, options: OptionValues): ColourMode {
  if (!allOptions(command).some(o => o.name === 'color' && o.kind === 'choice')) return 'auto'
  const text = options.text('color')
  return COLOUR_MODES.find(mode => mode === text) ?? 'auto'
}

function contextOf(parsed: Extract<Parsed, { ask: 'run' }>, io: Io, cancelled: AbortSignal): Context {
  const { tool, command, args, options } = parsed
  return newContext({
    tool,
    exits: command.exits,
    args,
    options,
    io,
    sizes: sizeStyle(command, options),
    isJson: commonFlag(command, options, 'json'),
    isQuiet: commonFlag(command, options, 'quiet'),
    isVerbose: commonFlag(command, options, 'verbose'),
    colour: palette(wantsColour(colourMode(command, options), io.stdout.isTerminal, io.env)),
    cancelled,
  })
}

/** Ctrl-C aborts the signal once and ends the process the second time. */
function listenForCancel(command: Command, controller: AbortController): () => void {
  if (command.cancellable !== true) return () => {}
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(command.exits === 'mount' ? MOUNT_EXIT.INTERRUPTED : EXIT.CANCELLED)
    controller.abort()
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const name of signals) process.on(name, onSignal)
  return () => {
    for (const name of signals) process.off(name, onSignal)
  }
}

function report(io: Io, tool: string, failure: Failure, isJson: boolean, thrown: unknown): number {
  if (isJson) {
    const { code, what, where, hint, exit } = failure
    io.stderr.write(`${jsonText({ error: { tool, code, what, where, hint, exit } }, true)}\n`)
  } else {
    const help = failure.code === 'USAGE' ? { ...failure, hint: `see ${tool} --help` } : failure
    io.stderr.write(`${failureLine(tool, help)}\n`)
  }
  if (io.env.HN4_DEBUG === '1' && thrown instanceof Error) io.stderr.write(`${thrown.stack ?? ''}\n`)
  return failure.exit
}

interface Meant {
  readonly tool: string
  readonly command: Command
  readonly exits: ExitTable
}

/** The subcommand meant and its table, so that `hn4 mount --bad` fails as mount does. */
function deepest(tool: string, command: Command, words: readonly string[]): Meant {
  const sub = command.commands?.find(candidate => candidate.name === words[0])
  const { exits } = command
  return sub === undefined ? { tool, command, exits } : deepest(`${tool} ${sub.name}`, sub, words.slice(1))
}

/** Runs `tool` with the words after its name; returns the exit code and never throws. */
export async function runTool(tool: string, command: Command, words: readonly string[], io: Io): Promise<number> {
  const { tool: name, exits } = deepest(tool, command, words)
  const controller = new AbortController()
  let stopListening = () => {}
  try {
    const parsed = parseCommandLine(tool, command, words)
    if (parsed.ask === 'help') io.stdout.write(helpText(parsed.tool, parsed.command))
    if (parsed.ask === 'version') io.stdout.write(`${versionLine(tool)}\n`)
    if (parsed.ask !== 'run') return EXIT.OK
    const ctx = contextOf(parsed, io, controller.signal)
    stopListening = listenForCancel(parsed.command, controller)
    return (await parsed.command.run?.(ctx)) ?? EXIT.OK
  } catch (thrown) {
    return report(io, name, failureOf(thrown, exits), words.includes('--json'), thrown)
  } finally {
    stopListening()
  }
}

function stream(target: NodeJS.WriteStream): Stream {
  return {
    write: text => void target.write(text),
    writeBytes: bytes => void target.write(bytes),
    isTerminal: target.isTTY === true,
    get columns() {
      return target.columns ?? 80
    },
  }
}

/** `hn4 ls | head`: the reader has seen enough. A check goes on all the same, for its exit code is its answer. */
function outputFailed(io: Io, meant: Meant, error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') {
    const failure = { ...failureOf(error, meant.exits), where: 'standard output' }
    process.exit(report(io, meant.tool, failure, false, error))
  }
  if (meant.command.cancellable !== true) process.exit(EXIT.OK)
}

/** The entry of an executable. */
export async function main(tool: string, command: Command): Promise<void> {
  const io: Io = {
    stdout: stream(process.stdout),
    stderr: stream(process.stderr),
    stdinIsTerminal: process.stdin.isTTY === true,
    env: hostEnvironment(),
  }
  const words = hostArguments()
  process.stdout.on('error', error => outputFailed(io, deepest(tool, command, words), error))
  process.stderr.on('error', () => {})
  const onStray = (thrown: unknown) => process.exit(report(io, tool, failureOf(thrown, command.exits), false, thrown))
  process.on('uncaughtException', onStray)
  process.on('unhandledRejection', onStray)
  process.exitCode = await runTool(tool, command, words, io)
}
