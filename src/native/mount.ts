/** What the addon offers for mounting (native/node/src). Failures are values: code and text stay apart. */
import { type ErrorCode, Hn4Error } from '../base/error.ts'

/** Why a native call did not work; `code` is an engine code (`Busy`) or an errno (`EBUSY`). */
export interface Failure {
  readonly code: string
  readonly text: string
}

export interface MountRequest {
  /** Absolute. */
  readonly image: string
  /** Absolute. */
  readonly mountpoint: string
  readonly readOnly: boolean
  /** Mount as fuseblk: umount then waits for the daemon, and syncfs reaches it. */
  readonly blockDevice: boolean
  readonly noatime: boolean
  readonly allowOther: boolean
  readonly defaultPermissions: boolean
  readonly autoUnmount: boolean
  readonly writeBack: boolean
  /** Flags of mount(8) by name: nosuid, sync. */
  readonly mountFlags: readonly string[]
  /** 0: as many as serve well. */
  readonly threads: number
}

export interface MountReport {
  readonly replayed: number
  readonly dropped?: number
  readonly rewritten: number
  readonly orphans: number
}

/** Counters since the mount (native/node/src/stats.rs). */
export interface MountStats {
  readonly commits: number
  readonly syncs: number
  readonly checkpoints: number
  readonly logBytes: number
  readonly dataBlocks: number
  readonly metaBlocks: number
  readonly pagesInPlace: number
  readonly atHome: number
  readonly atShell: number
  readonly inArea: number
  readonly inSegment: number
  readonly pageReads: number
  readonly pagesHealed: number
  readonly pagesLost: number
  readonly blocks: number
  readonly blocksFree: number
  readonly blocksAvailable: number
  readonly files: number
  readonly filesFree: number
  readonly requests: Readonly<Record<string, number>>
}

export interface MountHandle {
  readonly mountpoint: string
  readonly report: MountReport
  /** Resolves when the mount is gone and the volume closed. */
  wait(): Promise<Failure | undefined>
  unmount(lazy: boolean): Promise<Failure | undefined>
  sync(): Promise<Failure | undefined>
  /** Takes the mount away from those who use it and closes the volume. */
  force(): Promise<Failure | undefined>
  stats(): MountStats
  /** Gives the image free, for a process that goes on after the end. */
  release(): void
}

/** A log file that is open already; for detachOutput. */
export type LogFile = object

export interface MountAddon {
  mountVolume(request: MountRequest): Promise<MountHandle | Failure>
  logToStderr(tool: string): void
  logLine(text: string): void
  readonly LogFile: new (path: string) => LogFile
  /** Lets go of stdin, stdout and stderr; lines go to the file or the system's log. */
  detachOutput(file?: LogFile): void
  /** Programs started from now on inherit only stdin, stdout, stderr and what they are given. */
  keepDescriptors(): void
  unmountPath(mountpoint: string, lazy: boolean): Failure | undefined
  getXattr(path: string, name: string): Buffer | Failure
  /** Names, each followed by NUL. */
  listXattr(path: string): Buffer | Failure
  setXattr(path: string, name: string, value: Buffer): Failure | undefined
  notifyManager(socket: string, state: string): Failure | undefined
}

export function isFailure(value: unknown): value is Failure {
  return typeof value === 'object' && value !== null && 'code' in value && 'text' in value
}

/** Which of our errors a native code is; the rest are IO. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  AccessDenied: 'ACCESS',
  NotPermitted: 'ACCESS',
  EACCES: 'ACCESS',
  EPERM: 'ACCESS',
  Busy: 'BUSY',
  EBUSY: 'BUSY',
  Corrupt: 'DAMAGED',
  DataDamaged: 'DATA_DAMAGED',
  InvalidArgument: 'NOT_HN4',
  NotSupported: 'VERSION',
  NotFound: 'NOT_FOUND',
  ENOENT: 'NOT_FOUND',
  Exists: 'EXISTS',
  EEXIST: 'EXISTS',
  NoSpace: 'NO_SPACE',
}

/** A system's sentence without the number that Rust puts behind it. */
export const withoutNumber = (text: string): string => text.replace(/ \(os error \d+\)/g, '')

/** The error of a native failure about `path`. */
export function errorOf(failure: Failure, path: string): Hn4Error {
  if (failure.code === 'Panic') throw new Error(failure.text)
  const text = failure.text === '' ? {} : { text: withoutNumber(failure.text) }
  // The engine's sentences name the path where they can.
  const where = failure.text.includes(path) ? {} : { path }
  return new Hn4Error(CODES[failure.code] ?? 'IO', { ...text, ...where })
}
