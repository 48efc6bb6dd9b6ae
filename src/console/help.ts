/** The text of `--help`, from a command's description. */
import { allOptions, type Command } from './command.ts'
import { EXIT_MEANINGS, type ExitTable } from './exit-codes.ts'
import type { OptionDescription } from './options.ts'

const WIDTH = 80

/** `-s, --size SIZE`: how an option is written. */
export function optionSyntax(option: OptionDescription): string {
  const letters = [option.short, ...(option.alsoShort ?? [])].filter(letter => letter !== undefined)
  const value = option.kind === 'flag' ? '' : ` ${valueName(option)}`
  return `${[...letters.map(letter => `-${letter}`), `--${option.name}`].join(', ')}${value}`
}

/** What stands for an option's value. */
export function valueName(option: OptionDescription): string {
  return option.value ?? option.kind.toUpperCase()
}

/** `hn4 scrub [options] IMAGE [PATH...]`. */
export function usage(tool: string, command: Command): string {
  const args = (command.arguments ?? []).map(argument => {
    const name = argument.many === true ? `${argument.name}...` : argument.name
    return argument.optional === true ? `[${name}]` : name
  })
  const sub = command.commands === undefined ? [] : [command.run === undefined ? 'COMMAND' : '[COMMAND]']
  return [tool, '[options]', ...sub, ...args].join(' ')
}

/** Breaks a text at spaces; further lines start with `indent` spaces. */
function wrap(text: string, indent: number): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > WIDTH - indent) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join(`\n${' '.repeat(indent)}`)
}

function section(title: string, rows: ReadonlyArray<readonly [string, string]>): string[] {
  if (rows.length === 0) return []
  const column = Math.min(30, Math.max(...rows.map(([left]) => left.length)) + 4)
  const lines = rows.map(([left, right]) => {
    const head = `  ${left}`
    const gap = head.length + 2 > column ? `\n${' '.repeat(column)}` : ' '.repeat(column - head.length)
    return `${head}${gap}${wrap(right, column)}`
  })
  return [`${title}:`, ...lines, '']
}

function optionRow(option: OptionDescription): readonly [string, string] {
  const choices = option.choices === undefined ? '' : ` (${option.choices.join(', ')})`
  const often = option.kind === 'list' ? ' (may be repeated)' : ''
  return [optionSyntax(option), `${option.summary}${choices}${often}`]
}

/** The table of the command, and those of its subcommands that speak another. */
function exitSections(command: Command): string[] {
  const rows = (table: ExitTable) => EXIT_MEANINGS[table].map(([code, meaning]) => [String(code), meaning] as const)
  const others = new Set((command.commands ?? []).map(sub => sub.exits).filter(table => table !== command.exits))
  const names = (table: ExitTable) => (command.commands ?? []).filter(sub => sub.exits === table).map(sub => sub.name)
  return [
    ...section('Exit codes', rows(command.exits)),
    ...[...others].flatMap(table => section(`Exit codes of ${names(table).join(', ')}`, rows(table))),
  ]
}

export function helpText(tool: string, command: Command): string {
  const options = allOptions(command).filter(option => option.hidden !== true)
  return [
    `Usage: ${usage(tool, command)}`,
    '',
    wrap(`${tool}: ${command.summary}.`, 0),
    '',
    ...(command.description ?? []).flatMap(paragraph => [wrap(paragraph, 0), '']),
    ...section(
      'Commands',
      (command.commands ?? []).map(sub => [sub.name, sub.summary] as const),
    ),
    ...section(
      'Arguments',
      (command.arguments ?? []).map(argument => [argument.name, argument.summary] as const),
    ),
    ...section('Options', [
      ...options.map(optionRow),
      ['-h, --help', 'print this text'],
      ['-V, --version', 'print the version'],
    ]),
    'Examples:',
    ...command.examples.flatMap(example => [`  ${example.line}`, `      ${wrap(example.meaning, 6)}`]),
    '',
    ...exitSections(command),
  ].join('\n')
}
