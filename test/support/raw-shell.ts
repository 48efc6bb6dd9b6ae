/** Runs the package's executables with words and a working directory that need not be UTF-8, which Node cannot pass. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { PACKAGE_TOP } from '../../src/base/package.ts'
import { toolCommand } from './scratch.ts'

export type Word = string | Uint8Array

export interface RawRan {
  readonly exit: number
  readonly stdout: Buffer
  readonly stderr: string
}

export interface RawSettings {
  readonly cwd?: Word
  /** Variables of the environment. */
  readonly env?: Readonly<Record<string, Word>>
}

export const joinRaw = (...parts: readonly Word[]): Buffer =>
  Buffer.concat(parts.flatMap((part, i) => [...(i > 0 ? [Buffer.from('/')] : []), Buffer.from(part)]))

/** One word of a shell, whatever it holds but NUL. */
function quoted(word: Word): Buffer {
  const text = Buffer.from(word).toString('latin1').replaceAll("'", "'\\''")
  return Buffer.from(`'${text}'`, 'latin1')
}

export const SCRIPTS = {
  mkfs: join(PACKAGE_TOP, 'dist/mkfs/cli.js'),
  fsck: join(PACKAGE_TOP, 'dist/fsck-scrub/cli.js'),
} as const

/** `script` is a script of the package, or a tool of scratch.ts. */
export function runRaw(script: string, words: readonly Word[], settings: RawSettings = {}): RawRan {
  const isTool = script === 'hn4' || script === 'mount.hn4'
  const [program, first] = toolCommand(isTool ? script : 'hn4', [])
  const start = isTool ? first : [...first.slice(0, -1), script]
  const lines = [
    ...(settings.cwd === undefined ? [] : [joinWords(['cd', settings.cwd])]),
    ...Object.entries(settings.env ?? {}).map(([name, value]) =>
      Buffer.concat([Buffer.from(`export ${name}=`), quoted(value)]),
    ),
    joinWords(['exec', program, ...start, ...words]),
  ]
  // sh reads a script as bytes.
  const text = Buffer.concat(lines.flatMap(line => [line, Buffer.from('\n')]))
  const done = spawnSync('sh', ['-s'], { input: text, env: { ...process.env, NO_COLOR: '1' } })
  if (done.error !== undefined) throw done.error
  return { exit: done.status ?? 128, stdout: done.stdout, stderr: done.stderr.toString() }
}

function joinWords([command = '', ...words]: readonly Word[]): Buffer {
  return Buffer.concat([Buffer.from(command), ...words.flatMap(word => [Buffer.from(' '), quoted(word)])])
}
