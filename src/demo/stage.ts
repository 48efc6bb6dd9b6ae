/** What the demo prints, and how it runs hn4 as a person would: by its commands. */
import { spawnSync } from 'node:child_process'
import { join, relative } from 'node:path'
import { PACKAGE_TOP } from '../base/package.ts'
import { printable } from '../base/printable.ts'
import type { Context } from '../console/context.ts'

/** The executables by the names of package.json. */
const TOOLS = {
  hn4: 'dist/cli/main.js',
  'mkfs.hn4': 'dist/mkfs/cli.js',
  'fsck.hn4': 'dist/fsck-scrub/cli.js',
} as const

export type Tool = keyof typeof TOOLS

export interface Ran {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
}

/** A command that ended otherwise than the demo needs. */
export class DemoError extends Error {}

const OUTPUT_MAX = 256 << 20

/** As a person would type it, seen from the package's folder. */
const shown = (word: string): string => {
  const inside = relative(PACKAGE_TOP, word)
  return word.startsWith('/') && !inside.startsWith('..') ? inside : word
}

export class Stage {
  readonly #ctx: Context
  readonly #beganMs = performance.now()
  #steps = 0

  constructor(ctx: Context) {
    this.#ctx = ctx
  }

  get seconds(): number {
    return (performance.now() - this.#beganMs) / 1000
  }

  /** The next numbered step. */
  step(title: string): void {
    this.#ctx.print(this.#ctx.colour.bold(`${String(++this.#steps).padStart(2)}. ${title}`))
  }

  /** A line below a step. */
  say(text: string): void {
    for (const line of text.split('\n')) this.#ctx.print(`      ${printable(line)}`)
  }

  size(bytes: number | bigint): string {
    return this.#ctx.size(bytes)
  }

  /** Runs any program; an exit code that is not in `exits` ends the demo. */
  program(program: string, words: readonly string[], cwd?: string, exits: readonly number[] = [0]): Ran {
    const done = spawnSync(program, words, {
      encoding: 'utf8',
      maxBuffer: OUTPUT_MAX,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', LC_ALL: 'C.UTF-8' },
      ...(cwd !== undefined && { cwd }),
    })
    if (done.error !== undefined) throw new DemoError(`${program}: ${done.error.message}`)
    const ran = { exit: done.status ?? 128, stdout: done.stdout, stderr: done.stderr }
    if (exits.includes(ran.exit)) return ran
    const line = ran.stderr.trim().split('\n').at(-1) ?? ''
    throw new DemoError(`${program} ${words.map(shown).join(' ')}: exit code ${ran.exit}: ${line}`)
  }

  /** Shows a command as a person would type it. */
  show(tool: Tool, words: readonly string[]): void {
    this.#ctx.print(`      ${this.#ctx.colour.dim(`$ ${[tool, ...words].map(shown).join(' ')}`)}`)
  }

  /** Runs one of our tools and shows the command. */
  run(tool: Tool, words: readonly string[], exits?: readonly number[]): Ran {
    this.show(tool, words)
    return this.quietly(tool, words, exits)
  }

  /** Runs one of our tools without showing it. */
  quietly(tool: Tool, words: readonly string[], exits?: readonly number[]): Ran {
    return this.program(process.execPath, [join(PACKAGE_TOP, TOOLS[tool]), ...words], undefined, exits)
  }

  /** The document of a command's --json. */
  ask<T>(words: readonly string[], exits?: readonly number[]): T {
    return JSON.parse(this.quietly('hn4', [...words, '--json'], exits).stdout) as T
  }
}
