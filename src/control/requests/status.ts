/** `status`: how a mount stands. */
import type { Fields } from '../fields.ts'
import { noArguments, type RequestKind } from '../request.ts'

/** `stopped`: it was writing, until a write failed. */
export const STATES = ['writing', 'read-only', 'stopped'] as const

export interface Status {
  readonly state: (typeof STATES)[number]
  /** Why it is read-only or has stopped. */
  readonly why?: string | undefined
  readonly image: string
  readonly mountpoint: string
  readonly pid: number
  /** Version of the package that serves. */
  readonly version: string
  /** When the mount began, in milliseconds since 1970. */
  readonly sinceMs: number
  /** What carries the kernel's requests: `io_uring, 8 threads`, or `/dev/fuse` and why not io_uring. */
  readonly transport: string
  /** Where lines go: a file, `stderr`, `system log`, or `nowhere`. */
  readonly linesTo: string
  /** Blocks of the log, and how many hold what is not in its place yet. */
  readonly logBlocks: number
  readonly logHeld: number
  /** Blocks of data that have no place yet. */
  readonly delayedBlocks: number
  readonly blocks: number
  readonly blocksFree: number
  /** Without the reserve. */
  readonly blocksAvailable: number
  readonly files: number
  readonly filesFree: number
  /** Lines about trouble since the mount, and the last one. */
  readonly lines: number
  readonly lastLine?: string | undefined
  readonly lastLineMs?: number | undefined
}

function readStatus(fields: Fields): Status {
  const number = (name: keyof Status) => fields.number(name)
  return {
    state: fields.choice('state', STATES),
    why: fields.optionalText('why'),
    image: fields.text('image'),
    mountpoint: fields.text('mountpoint'),
    pid: number('pid'),
    version: fields.text('version'),
    sinceMs: number('sinceMs'),
    transport: fields.text('transport'),
    linesTo: fields.text('linesTo'),
    logBlocks: number('logBlocks'),
    logHeld: number('logHeld'),
    delayedBlocks: number('delayedBlocks'),
    blocks: number('blocks'),
    blocksFree: number('blocksFree'),
    blocksAvailable: number('blocksAvailable'),
    files: number('files'),
    filesFree: number('filesFree'),
    lines: number('lines'),
    lastLine: fields.optionalText('lastLine'),
    lastLineMs: fields.optionalNumber('lastLineMs'),
  }
}

export const status: RequestKind<object, Status> = { name: 'status', arguments: noArguments, answer: readStatus }
