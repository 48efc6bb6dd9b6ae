/**
 * Every error becomes one line on stderr, `tool: what: where; what to do`, and one exit code.
 * A stack trace is for developers only: HN4_DEBUG=1.
 */
import { errnoWords } from '../base/errno.ts'
import { type ErrorClass, Hn4Error } from '../base/error.ts'
import { printable } from '../base/printable.ts'
import { EXIT, type ExitTable, MOUNT_EXIT } from './exit-codes.ts'

/** The command line itself is wrong. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** A failure in the shape in which it is shown. */
export interface Failure {
  readonly code: string
  readonly what: string
  readonly where?: string
  readonly hint?: string
  readonly exit: number
}

const USAGE: Readonly<Record<ExitTable, number>> = { mkfs: EXIT.USAGE, fsck: EXIT.USAGE, mount: MOUNT_EXIT.USAGE }
const GENERAL: Readonly<Record<ExitTable, number>> = {
  mkfs: EXIT.FAILED,
  fsck: EXIT.OPERATIONAL,
  mount: MOUNT_EXIT.FAILED,
}

function exitOfClass(kind: ErrorClass, table: ExitTable): number {
  if (table === 'mount' && kind === 'access') return MOUNT_EXIT.USAGE
  if (table === 'mount' && kind === 'internal') return MOUNT_EXIT.SYSTEM
  if (table === 'fsck' && kind === 'damage') return EXIT.UNCORRECTED
  return kind === 'argument' ? USAGE[table] : GENERAL[table]
}

function systemFailure(error: NodeJS.ErrnoException, code: string, table: ExitTable): Failure {
  const denied = code === 'EACCES' || code === 'EPERM'
  const exit = table === 'mount' && denied ? MOUNT_EXIT.USAGE : GENERAL[table]
  const what = errnoWords(code)
  return error.path === undefined ? { code, what, exit } : { code, what, where: error.path, exit }
}

/** Decides what is said about any thrown value, and the exit code. */
export function failureOf(thrown: unknown, table: ExitTable): Failure {
  if (thrown instanceof UsageError) return { code: 'USAGE', what: thrown.message, exit: USAGE[table] }
  if (thrown instanceof Hn4Error) {
    const { path, hint } = thrown.detail
    return {
      code: thrown.code,
      what: thrown.message,
      ...(path !== undefined && { where: path }),
      ...(hint !== undefined && { hint }),
      exit: exitOfClass(thrown.class, table),
    }
  }
  const error: NodeJS.ErrnoException = thrown instanceof Error ? thrown : new Error(String(thrown))
  if (error.code !== undefined && /^E[A-Z0-9]+$/.test(error.code)) return systemFailure(error, error.code, table)
  return {
    code: 'INTERNAL',
    what: `internal error: ${error.message}`,
    hint: 'please report it; HN4_DEBUG=1 shows more',
    exit: table === 'mount' ? MOUNT_EXIT.BUG : GENERAL[table],
  }
}

/** `tool: what: where; what to do`, one line without its line feed. */
export function failureLine(tool: string, failure: Failure): string {
  const where = failure.where === undefined ? '' : `: ${failure.where}`
  const hint = failure.hint === undefined ? '' : `; ${failure.hint}`
  return printable(`${tool}: ${failure.what}${where}${hint}`)
}
