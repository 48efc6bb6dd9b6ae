/**
 * Serves one mount until it ends: the inside of `hn4 mount -f` and of the daemon. The addon's
 * threads answer the kernel; this process only waits for signals and for the end.
 */
import { Hn4Error, reasonOf } from '../base/error.ts'
import { writeFileSync } from '../base/host-files.ts'
import { printable } from '../base/printable.ts'
import { MOUNT_EXIT } from '../console/exit-codes.ts'
import { failureLine, failureOf } from '../console/failure.ts'
import { counted } from '../console/size.ts'
import { type Mount, mountAt } from '../device/mount-table.ts'
import { addon, hasAddon } from '../native/addon.ts'
import { type Failure, isFailure, withoutNumber } from '../native/failure.ts'
import type { LogFile, MountAddon, MountHandle, MountRequest } from '../native/mount.ts'
import { openControl } from './control.ts'
import { keepLastWords, sayLastWords } from './last-words.ts'
import { copiesOf, copiesText } from './namespaces.ts'
import { openingError } from './opening.ts'
import { linesTo } from './own-log.ts'
import { processList, usersOf } from './processes.ts'

export interface ServeSettings {
  /** Begins the lines on stderr. */
  readonly tool: string
  readonly request: MountRequest
  readonly log?: string | undefined
  /** Prints the counters at the end. */
  readonly isDebug: boolean
  /** Called once the mount answers, before lines go elsewhere than stderr. */
  readonly onReady: (log: LogFile | undefined) => void
}

/** A second signal within this time does not wait for the programs that use the mount. */
const FORCE_WITHIN_MS = 2000

/** Those that ask for an end; SIGXCPU and SIGPWR say that one is near. Others that would end it have no effect. */
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGXCPU', 'SIGPWR'] as const

/** What a signal does; before the mount is there it is remembered. */
class Stopper {
  #handle: MountHandle | undefined
  /** As it was when it began to answer. */
  #mount: Mount | undefined
  readonly #mountpoint: string
  #lastMs: number | undefined
  #isForced = false
  readonly forced: Promise<Failure | undefined>
  #resolveForced: (failure: Failure | undefined) => void = () => {}

  constructor(mountpoint: string) {
    this.#mountpoint = mountpoint
    this.forced = new Promise(resolve => {
      this.#resolveForced = resolve
    })
    for (const name of SIGNALS) process.on(name, () => void this.#onSignal())
  }

  get wasAsked(): boolean {
    return this.#lastMs !== undefined
  }

  attach(handle: MountHandle): void {
    this.#handle = handle
    this.#mount = mountAt(this.#mountpoint)
    if (this.wasAsked) void this.#stop(handle)
  }

  async #onSignal(): Promise<void> {
    const before = this.#lastMs
    this.#lastMs = performance.now()
    const handle = this.#handle
    if (handle === undefined) return
    if (before !== undefined && this.#lastMs - before < FORCE_WITHIN_MS) await this.#force(handle)
    else await this.#stop(handle)
  }

  /** Unmounts; while programs use the mount everything is made durable and goes on. */
  async #stop(handle: MountHandle): Promise<void> {
    const failure = await handle.unmount(false)
    if (failure === undefined || this.#isForced) return
    const { logLine } = addon()
    const synced = await handle.sync()
    if (synced !== undefined) logLine(`not everything is durable: ${synced.text}`)
    const force = 'a second signal within 2 s forces it'
    const mount = mountAt(this.#mountpoint)
    if (this.#mount !== undefined && mount?.device !== this.#mount.device) {
      const where = copiesText(copiesOf(this.#mount)) || 'used by somebody'
      return logLine(printable(`not at ${this.#mountpoint} any more, but still ${where}: it goes on; ${force}`))
    }
    if (failure.code !== 'EBUSY') return logLine(`not unmounted: ${failure.text}`)
    const users = mount === undefined ? [] : usersOf(mount)
    const who = users.length > 0 ? processList(users) : 'processes that this user may not see'
    logLine(printable(`${this.#mountpoint} is in use by ${who}: not unmounted; ${force}`))
  }

  async #force(handle: MountHandle): Promise<void> {
    if (this.#isForced) return
    this.#isForced = true
    const failure = await handle.force()
    this.#resolveForced(failure)
  }
}

function reportOpening(handle: MountHandle): void {
  const { replayed, dropped, rewritten } = handle.report
  const { logLine } = addon()
  if (replayed > 0) logLine(`it was not unmounted cleanly: ${counted(replayed, 'transaction')} replayed`)
  if (dropped !== undefined) logLine(`transaction ${dropped}, the last one, had not arrived whole: left out`)
  if (rewritten > 0) logLine(`${counted(rewritten, 'metadata block')} restored from another copy`)
}

function statsLine(handle: MountHandle): string {
  const { requests, ...counters } = handle.stats()
  return `counters: ${JSON.stringify({ ...counters, requests })}`
}

/** `hn4` in ps and in messages about who holds an image, and not `node`. */
function nameProcess({ image, mountpoint }: MountRequest): void {
  process.title = printable(`hn4 mount ${image} ${mountpoint}`)
  try {
    writeFileSync('/proc/self/comm', 'hn4')
  } catch {
    // Only a name.
  }
}

/** Opened before the mount: a log that cannot be written is an error of it. */
function openLog(path: string | undefined): LogFile | undefined {
  if (path === undefined) return undefined
  try {
    return new (addon().LogFile)(path)
  } catch (error) {
    throw new Hn4Error('IO', { text: `the log ${withoutNumber((error as Error).message)}` }, { cause: error })
  }
}

/** An error of this thread must not take the mount away: its requests are served by others. */
function keepServing(native: MountAddon): void {
  const onStray = (thrown: unknown) => native.logLine(`internal error: ${reasonOf(thrown)}`)
  // In front there are those of the command, which end the process.
  process.removeAllListeners('uncaughtException').on('uncaughtException', onStray)
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', onStray)
}

/** Mounts and serves; the exit code. Throws why it did not mount. */
export async function serve(settings: ServeSettings): Promise<number> {
  const native = addon()
  native.logToStderr(settings.tool)
  const log = openLog(settings.log)
  native.ignoreStraySignals()
  const stopper = new Stopper(settings.request.mountpoint)
  nameProcess(settings.request)
  const { request } = settings
  keepLastWords()
  const handle = await native.mountVolume(request)
  if (isFailure(handle)) throw openingError(handle, request.image)
  keepServing(native)
  reportOpening(handle)
  const control = await openControl({ request, handle, sinceMs: Date.now(), linesTo })
  // Otherwise Node would open its debugger.
  process.on('SIGUSR1', () => native.logLine(statsLine(handle)))
  stopper.attach(handle)
  settings.onReady(log)
  const failure = await Promise.race([handle.wait(), stopper.forced])
  control?.close()
  if (settings.isDebug) native.logLine(statsLine(handle))
  sayLastWords(failure)
  if (failure === undefined) return MOUNT_EXIT.OK
  native.logLine(failure.text)
  return MOUNT_EXIT.SYSTEM
}

/** Once the output is let go of, only the log has readers. */
function tell(line: string): void {
  if (hasAddon() && linesTo() !== 'stderr') addon().logLine(line)
  else process.stderr.write(`${line}\n`)
}

/** As `serve`, for a whole process: prints what is thrown and ends. */
export async function serveAndExit(settings: ServeSettings): Promise<never> {
  try {
    process.exit(await serve(settings))
  } catch (thrown) {
    const failure = failureOf(thrown, 'mount')
    tell(failureLine(settings.tool, failure))
    if (process.env.HN4_DEBUG === '1' && thrown instanceof Error) process.stderr.write(`${thrown.stack ?? ''}\n`)
    process.exit(failure.exit)
  }
}
