/** What the addon offers for mounting (native/node/src). */
import type { Failure } from './failure.ts'

/** `auto`: io_uring where the kernel offers it, else /dev/fuse; `uring`: that or no mount. */
export type TransportChoice = 'auto' | 'uring' | 'dev'

export interface MountRequest {
  /** Absolute. */
  readonly image: string
  /** Absolute. */
  readonly mountpoint: string
  readonly readOnly: boolean
  /** Opens in spite of damage. */
  readonly rescue: boolean
  /** Mount as fuseblk: umount then waits for the daemon, and syncfs reaches it. */
  readonly blockDevice: boolean
  readonly noatime: boolean
  /** The host is told of freed blocks as soon as they may be used again. */
  readonly discard: boolean
  readonly allowOther: boolean
  readonly defaultPermissions: boolean
  readonly autoUnmount: boolean
  readonly writeBack: boolean
  /** Flags of mount(8) by name: nosuid, sync. */
  readonly mountFlags: readonly string[]
  /** 0: as many as serve well. */
  readonly threads: number
  readonly transport: TransportChoice
}

export interface MountReport {
  readonly replayed: number
  readonly dropped?: number
  readonly rewritten: number
  readonly orphans: number
}

/** How requests reach the daemon. */
export interface TransportReport {
  readonly name: 'uring' | 'dev'
  /** Threads of io_uring queues. */
  readonly threads: number
  /** Why not io_uring, where that was wanted. */
  readonly reason?: string
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

/** How a mount stands (native/node/src/state.rs). */
export interface MountState {
  readonly readOnly: boolean
  /** Why the volume stopped writing; undefined while it has not. */
  readonly stopped?: string
  readonly logBlocks: number
  /** Blocks of the log that hold what is not in its place yet. */
  readonly logHeld: number
  readonly delayedBlocks: number
  /** Lines about trouble since the mount, and the last one. */
  readonly lines: number
  readonly lastLine?: string
  /** In milliseconds since 1970. */
  readonly lastLineMs?: number
}

export interface MountHandle {
  readonly report: MountReport
  transport(): TransportReport
  /** Resolves when the mount is gone and the volume closed. */
  wait(): Promise<Failure | undefined>
  unmount(lazy: boolean): Promise<Failure | undefined>
  sync(): Promise<Failure | undefined>
  /** Tells the host which blocks are free; resolves with their number. */
  trim(): Promise<number | Failure>
  /** Takes the mount away from those who use it and closes the volume. */
  force(): Promise<Failure | undefined>
  stats(): MountStats
  state(): MountState
  /** Gives the image free, for a process that goes on after the end. */
  release(): void
}

/** A log file that is open already; for detachOutput. */
export type LogFile = object

export interface MountAddon {
  mountVolume(request: MountRequest): Promise<MountHandle | Failure>
  logToStderr(tool: string): void
  logLine(text: string): void
  /** Where lines go now, as bytes: the path of a file, `stderr`, `system log`, or `nowhere`. */
  linesTo(): Buffer
  hasSystemLog(): boolean
  readonly LogFile: new (path: string) => LogFile
  /** Lets go of stdin, stdout and stderr; lines go to the file, else to the system's log, else to `own`. */
  detachOutput(file?: LogFile, own?: string): void
  /** Programs started from now on inherit only stdin, stdout, stderr and what they are given. */
  keepDescriptors(): void
  remountPath(mountpoint: string, readOnly: boolean, flags: readonly string[]): Failure | undefined
  unmountPath(mountpoint: string, lazy: boolean): Failure | undefined
  getXattr(path: string, name: string): Buffer | Failure
  /** Names, each followed by NUL. */
  listXattr(path: string): Buffer | Failure
  setXattr(path: string, name: string, value: Buffer): Failure | undefined
  /** The user at the other end of a connected Unix socket. */
  peerUid(descriptor: number): number | Failure
  /** Signals that would end the process and mean nothing to a mount have no effect from now on. */
  ignoreStraySignals(): void
  /** Opens the file in memory that `lastWords` writes to, for whoever looks into /proc/PID/fd. */
  keepLastWords(): Failure | undefined
  lastWords(text: string): Failure | undefined
  notifyManager(socket: string, state: string): Failure | undefined
}
