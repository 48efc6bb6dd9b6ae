/** A volume of a test: image, mountpoint, and the commands on it. Nothing stays mounted, no daemon stays. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { makeVolume } from '../../mkfs/make.ts'
import { PACKAGE_TOP } from '../../src/base/package.ts'
import { type Mount, mountAt } from '../../src/device/mount-table.ts'
import { daemonOf, isAlive, type Process } from '../../src/mount/processes.ts'
import { addon } from '../../src/native/addon.ts'
import type { Ran } from './cli.ts'

const TOOLS = { hn4: 'dist/cli/main.js', 'mount.hn4': 'dist/src/mount/cli.js' } as const

/** Program and arguments of a tool. tap's hooks stay out of it: they double the time that a command takes. */
export function toolCommand(tool: keyof typeof TOOLS, words: readonly string[]): readonly [string, readonly string[]] {
  return ['env', ['-u', 'NODE_OPTIONS', process.execPath, join(PACKAGE_TOP, TOOLS[tool]), ...words]]
}

/** Runs an executable of the package in a process of its own. */
export function runTool(tool: keyof typeof TOOLS, words: readonly string[], env: Record<string, string> = {}): Ran {
  const done = spawnSync(...toolCommand(tool, words), {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', ...env },
  })
  if (done.error !== undefined) throw done.error
  return { exit: done.status ?? 128, stdout: done.stdout, stderr: done.stderr }
}

export const hn4 = (...words: string[]): Ran => runTool('hn4', words)

/** As `hn4`; throws if it does not end with 0. */
export function must(...words: string[]): void {
  const done = hn4(...words)
  if (done.exit !== 0) throw new Error(`hn4 ${words[0]}: exit ${done.exit}: ${done.stderr}${done.stdout}`)
}

export const hashOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')

/** The errno's name that a call fails with; undefined if it does not fail. */
export function codeOf(call: () => unknown): string | undefined {
  try {
    call()
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  }
}

/** True once `isDone` is; false after many tries. */
export async function eventually(isDone: () => boolean): Promise<boolean> {
  for (let i = 0; i < 1500; i++) {
    if (isDone()) return true
    await sleep(20)
  }
  return false
}

export class Scratch {
  readonly folder: string
  readonly image: string
  readonly dir: string
  readonly #daemons: Process[] = []
  #hostDir: string | undefined

  /** `hostMiB`: the image lies on a tmpfs of that size, which takes root. */
  constructor(
    t: Test,
    {
      name = 'disk.img',
      dir = 'mnt',
      sizeBytes = 64 << 20,
      hostMiB,
    }: { name?: string; dir?: string; sizeBytes?: number; hostMiB?: number } = {},
  ) {
    this.folder = realpathSync(t.testdir({}))
    this.image = join(this.folder, name)
    t.teardown(() => this.#clean())
    if (hostMiB !== undefined) this.image = join(this.#host(hostMiB), name)
    this.dir = join(this.folder, dir)
    mkdirSync(this.dir)
    makeVolume({ path: this.image, sizeBytes, uuid: undefined, label: undefined, seed: undefined, createdNs: 0n })
  }

  /** What is mounted on the directory. */
  get mounted(): Mount | undefined {
    return mountAt(this.dir)
  }

  get daemon(): Process {
    const found = this.mounted === undefined ? undefined : daemonOf(this.mounted)
    if (found === undefined) throw new Error('no daemon')
    return found
  }

  /** hn4 mount; throws what it says if it fails. */
  mount(...words: string[]): Process {
    const ran = hn4('mount', ...words, this.image, this.dir)
    if (ran.exit !== 0) throw new Error(`mount: exit ${ran.exit}: ${ran.stderr}`)
    const { daemon } = this
    this.#daemons.push(daemon)
    return daemon
  }

  /** hn4 umount; throws what it says if it fails. */
  umount(): void {
    const ran = hn4('umount', this.dir)
    if (ran.exit !== 0) throw new Error(`umount: exit ${ran.exit}: ${ran.stderr}`)
  }

  path(...names: string[]): string {
    return join(this.dir, ...names)
  }

  /** A tmpfs for the image. Not below the folder, which is removed first. */
  #host(sizeMiB: number): string {
    const host = mkdtempSync(join(tmpdir(), 'hn4-host-'))
    this.#hostDir = host
    const ran = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m`, 'none', host], { encoding: 'utf8' })
    if (ran.status !== 0) throw new Error(`no tmpfs: ${ran.stderr}`)
    return host
  }

  #clean(): void {
    while (this.mounted !== undefined) if (addon().unmountPath(this.dir, true) !== undefined) break
    for (const daemon of this.#daemons) if (isAlive(daemon)) process.kill(daemon.pid, 'SIGKILL')
    if (this.#hostDir === undefined) return
    spawnSync('umount', ['-l', this.#hostDir])
    rmdirSync(this.#hostDir)
  }
}
