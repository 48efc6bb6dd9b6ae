/**
 * Starts the daemon of a mount and waits until the mount answers. The question, a stat of the
 * mountpoint, is asked by this process: were it the daemon's own, a daemon that hangs would wait for itself.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { Hn4Error } from '../base/error.ts'
import { statfs } from '../base/host-files.ts'
import { MOUNT_EXIT } from '../console/exit-codes.ts'
import { mountAt } from '../device/mount-table.ts'
import { addon } from '../native/addon.ts'
import type { MountRequest } from '../native/mount.ts'

export interface DaemonArgument {
  readonly tool: string
  readonly request: MountRequest
  readonly log?: string | undefined
  readonly isDebug: boolean
}

export interface StartSettings {
  readonly daemon: DaemonArgument
  /** Takes the daemon's lines. */
  readonly relay: (text: string) => void
  /** Where its lines go from now on; empty: it did not say. */
  readonly onReady?: (linesTo: string) => void
  readonly limitMs?: number
  /** Another daemon, for tests. */
  readonly script?: string
}

const LIMIT_MS = 30_000

function spawnDaemon(settings: StartSettings): ChildProcess {
  const script = settings.script ?? fileURLToPath(new URL('./daemon.js', import.meta.url))
  addon().keepDescriptors()
  return spawn(process.execPath, [script, JSON.stringify(settings.daemon)], {
    // A session of its own: signals of the terminal are not for it.
    detached: true,
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  })
}

/** Where lines go, from what the daemon wrote; empty: it did not say. */
function toldIn(text: string): string {
  try {
    return String(JSON.parse(text.split('\n')[1] ?? ''))
  } catch {
    return ''
  }
}

type Outcome =
  | { readonly is: 'ready'; readonly linesTo: string }
  | { readonly is: 'late' }
  | { readonly is: 'interrupted' }
  | { readonly is: 'ended'; readonly exit: number | null; readonly signal: string | null }

/** What happens first. */
function firstOf(child: ChildProcess, limitMs: number): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const finish = (outcome: Outcome) => {
      clearTimeout(timer)
      for (const name of signals) process.off(name, onSignal)
      resolve(outcome)
    }
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
    const onSignal = () => finish({ is: 'interrupted' })
    for (const name of signals) process.on(name, onSignal)
    const timer = setTimeout(() => finish({ is: 'late' }), limitMs)
    const ready = child.stdio[3] as Readable
    ready.once('data', bytes => finish({ is: 'ready', linesTo: toldIn(String(bytes)) }))
    child.once('error', reject)
    // 'close' comes after the last line on stderr, 'exit' may come before it.
    child.once('close', (exit, signal) => finish({ is: 'ended', exit, signal }))
  })
}

/** Resolves when the child has gone. */
function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise(resolve => child.once('exit', () => resolve()))
}

/** Ends a daemon that does not answer and takes off the mount that it may leave. */
async function abandon(child: ChildProcess, request: MountRequest): Promise<void> {
  child.kill('SIGKILL')
  await ended(child)
  const left = mountAt(request.mountpoint)
  if (left !== undefined && left.source === request.image) addon().unmountPath(request.mountpoint, true)
}

/** The mount's answer; a failed one ends the daemon. */
async function ask(child: ChildProcess, request: MountRequest, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<'late'>(resolve => {
    timer = setTimeout(() => resolve('late'), limitMs)
  })
  const answer = await Promise.race([statfs(request.mountpoint), patience]).catch((error: Error) => error)
  clearTimeout(timer)
  if (answer !== 'late' && !(answer instanceof Error)) return
  // Killing it also ends our question, which would otherwise keep this process.
  await abandon(child, request)
  if (answer instanceof Error) throw answer
  throw lateError(request)
}

const lateError = (request: MountRequest) =>
  new Hn4Error('IO', { path: request.mountpoint, text: `the mount did not answer within ${LIMIT_MS / 1000} s` })

/** Starts and waits; the exit code. The daemon's lines are relayed, and its exit code if it ends. */
export async function startDaemon(settings: StartSettings): Promise<number> {
  const limitMs = settings.limitMs ?? LIMIT_MS
  const deadline = performance.now() + limitMs
  const { request } = settings.daemon
  const child = spawnDaemon(settings)
  child.stderr?.setEncoding('utf8').on('data', settings.relay)
  const outcome = await firstOf(child, limitMs)
  switch (outcome.is) {
    case 'ready':
      await ask(child, request, Math.max(1, deadline - performance.now()))
      child.unref()
      settings.onReady?.(outcome.linesTo)
      return MOUNT_EXIT.OK
    case 'late':
      await abandon(child, request)
      throw lateError(request)
    case 'interrupted':
      child.kill('SIGTERM')
      await ended(child)
      return MOUNT_EXIT.INTERRUPTED
    case 'ended':
      if (outcome.exit !== null) return outcome.exit
      throw new Hn4Error('IO', { text: `the daemon ended by ${outcome.signal}` })
  }
}
