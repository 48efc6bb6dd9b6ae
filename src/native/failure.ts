/** Failures of native calls (native/node/src/failure.rs) are values: code and text stay apart. */
import { type ErrorCode, Hn4Error } from '../base/error.ts'

/** Why a native call did not work; `code` is an engine code (`Busy`) or an errno (`EBUSY`). */
export interface Failure {
  readonly code: string
  readonly text: string
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
  ENOSPC: 'NO_SPACE',
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
