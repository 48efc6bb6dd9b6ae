/** Runs a tool inside the test's process and gives back what it printed. */
import type { Command } from '../../src/console/command.ts'
import type { Io } from '../../src/console/context.ts'
import { runTool } from '../../src/console/run.ts'

export interface Ran {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunSettings {
  readonly env?: Readonly<Record<string, string>>
  readonly isTerminal?: boolean
}

/** `runCommand('mkfs.hn4', mkfs, ['--dry-run', path])`. */
export async function runCommand(
  tool: string,
  command: Command,
  words: readonly string[],
  settings: RunSettings = {},
): Promise<Ran> {
  const out: string[] = []
  const err: string[] = []
  const isTerminal = settings.isTerminal ?? false
  const io: Io = {
    stdout: {
      write: text => void out.push(text),
      writeBytes: bytes => void out.push(Buffer.from(bytes).toString('latin1')),
      isTerminal,
      columns: 80,
    },
    stderr: {
      write: text => void err.push(text),
      writeBytes: bytes => void err.push(Buffer.from(bytes).toString('latin1')),
      isTerminal,
      columns: 80,
    },
    stdinIsTerminal: false,
    env: settings.env ?? {},
  }
  const exit = await runTool(tool, command, words, io)
  return { exit, stdout: out.join(''), stderr: err.join('') }
}
