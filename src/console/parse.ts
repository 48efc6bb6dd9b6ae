/** Command lines, parsed by commander from a command's description. Throws UsageError. */
import { Command as Commander, CommanderError, Option } from 'commander'
import { allOptions, type Command } from './command.ts'
import { UsageError } from './failure.ts'
import { valueName } from './help.ts'
import { type OptionDescription, type OptionKind, type OptionValue, OptionValues } from './options.ts'
import { parseSize } from './size.ts'

/** What a command line asks for. */
export type Parsed =
  | { readonly ask: 'help' | 'version'; readonly tool: string; readonly command: Command }
  | {
      readonly ask: 'run'
      readonly tool: string
      readonly command: Command
      readonly args: readonly string[]
      readonly options: OptionValues
    }

function parseCount(text: string, name: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`--${name}: not a whole number: '${text}'`)
  return Number(text)
}

function convert(option: OptionDescription, text: string, before: OptionValue | undefined): OptionValue {
  switch (option.kind) {
    case 'size':
      return parseSize(text)
    case 'count':
      return parseCount(text, option.name)
    case 'choice':
      if (option.choices?.includes(text) !== true) {
        throw new UsageError(`--${option.name}: '${text}' is none of ${option.choices?.join(', ')}`)
      }
      return text
    case 'list':
      return [...((before as readonly string[] | undefined) ?? []), text]
    default:
      return text
  }
}

/** One commander option per letter: commander itself knows one letter an option. */
function addOption(program: Commander, option: OptionDescription, values: Map<string, OptionValue>): void {
  const suffix = option.kind === 'flag' ? '' : ` <${valueName(option)}>`
  const forms = [
    `${option.short === undefined ? '' : `-${option.short}, `}--${option.name}${suffix}`,
    ...(option.alsoShort ?? []).map(letter => `-${letter}${suffix}`),
  ]
  for (const form of forms) {
    const declared = new Option(form)
    program.addOption(declared)
    program.on(`option:${declared.name()}`, (text?: string | null) => {
      const value = option.kind === 'flag' ? true : convert(option, text ?? '', values.get(option.name))
      values.set(option.name, value)
    })
  }
}

/** commander's texts, without their `error: ` and their full stop. */
function messageOf(error: CommanderError): string {
  const first = error.message.split('\n')[0] ?? error.message
  return first.replace(/^error: /, '').replace(/\.$/, '')
}

function checkCount(command: Command, args: readonly string[]): void {
  const declared = command.arguments ?? []
  const missing = declared.find((argument, i) => argument.optional !== true && args[i] === undefined)
  if (missing !== undefined) throw new UsageError(`missing argument ${missing.name}`)
  const extra = args[declared.length]
  if (extra !== undefined && declared.at(-1)?.many !== true) throw new UsageError(`one argument too many: '${extra}'`)
}

/** `help`, `help mount`: as `--help` and `mount --help`. */
function helpFor(tool: string, command: Command, words: readonly string[]): Parsed {
  const [first, ...rest] = words
  if (first === undefined) return { ask: 'help', tool, command }
  const sub = command.commands?.find(candidate => candidate.name === first)
  if (sub === undefined) throw new UsageError(`no such command: '${first}'`)
  return helpFor(`${tool} ${sub.name}`, sub, rest)
}

/** The subcommand named by the first word that is not an option, if there is one. */
function descend(tool: string, command: Command, words: readonly string[]): Parsed | undefined {
  const [first] = words
  const sub = command.commands?.find(candidate => candidate.name === first)
  if (sub !== undefined) return parseCommandLine(`${tool} ${sub.name}`, sub, words.slice(1))
  if (first === 'help') return helpFor(tool, command, words.slice(1))
  if (command.run !== undefined || first?.startsWith('-') === true) return undefined
  throw new UsageError(first === undefined ? 'no command given' : `no such command: '${first}'`)
}

/** `words` are what stands after the tool's name. */
export function parseCommandLine(tool: string, command: Command, words: readonly string[]): Parsed {
  if (command.commands !== undefined) {
    const found = descend(tool, command, words)
    if (found !== undefined) return found
  }
  const options = allOptions(command)
  const values = new Map<string, OptionValue>()
  const program = new Commander(tool)
  // Everything is thrown and printed by the runner; commander prints nothing.
  program.exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {}, outputError: () => {} })
  program.helpOption(false).argument('[words...]').allowExcessArguments(true)
  for (const option of options) addOption(program, option, values)

  const asks: ('help' | 'version')[] = []
  addAsk(program, options, 'h', 'help', asks)
  addAsk(program, options, 'V', 'version', asks)
  try {
    program.parse([...words], { from: 'user' })
  } catch (error) {
    // `mkfs.hn4 --help --nonsense`: the question asked first is answered.
    const [ask] = asks
    if (error instanceof CommanderError && ask === undefined) throw new UsageError(messageOf(error), { cause: error })
    if (ask === undefined) throw error
  }
  const [ask] = asks
  if (ask !== undefined) return { ask, tool, command }
  if (command.run === undefined) throw new UsageError('no command given')
  const misread = command.misread?.(program.args)
  if (misread !== undefined) throw new UsageError(misread)
  checkCount(command, program.args)
  const kinds = new Map<string, OptionKind>(options.map(option => [option.name, option.kind]))
  return { ask: 'run', tool, command, args: program.args, options: new OptionValues(kinds, values) }
}

type Asks = ('help' | 'version')[]

function addAsk(
  program: Commander,
  options: readonly OptionDescription[],
  letter: string,
  name: Asks[number],
  asks: Asks,
): void {
  const isTaken = options.some(option => option.short === letter || option.alsoShort?.includes(letter) === true)
  program.addOption(new Option(isTaken ? `--${name}` : `-${letter}, --${name}`))
  program.on(`option:${name}`, () => asks.push(name))
}
