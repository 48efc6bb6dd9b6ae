/**
 * Errors of hn4's own: a code, one sentence, and the numbers that belong to it.
 *
 * A code is thrown in one place where that is possible; which exit code or errno it becomes is
 * decided at the edge (src/console/failure.ts), by its class.
 */
import { errnoWords } from './errno.ts'
import { printable } from './printable.ts'

/** What kind of trouble a code means; the exit code follows from it. */
export type ErrorClass =
  | 'damage' // stored bytes break a rule of docs/format.md
  | 'foreign' // not an hn4 volume, or one this version does not read
  | 'missing' // no such file, entry or volume
  | 'exists'
  | 'kind' // a directory where a file is wanted, or the reverse
  | 'access' // refused by permissions or flags
  | 'busy' // in use by another process
  | 'space'
  | 'unsupported'
  | 'argument'
  | 'io' // the device or the host refused
  | 'internal'

/** [class, sentence]; `{name}` in a sentence stands for that detail, the other details follow in parentheses. */
const CODES = {
  DAMAGED: ['damage', 'damaged metadata'],
  DATA_DAMAGED: ['damage', 'damaged data'],
  NOT_HN4: ['foreign', 'not an hn4 volume'],
  VERSION: ['foreign', 'a format this version does not read'],
  NOT_FOUND: ['missing', 'no such file or directory'],
  EXISTS: ['exists', 'already there'],
  NOT_DIRECTORY: ['kind', 'not a directory'],
  IS_DIRECTORY: ['kind', 'is a directory'],
  ACCESS: ['access', 'permission denied'],
  BUSY: ['busy', 'in use'],
  CHANGED: ['busy', 'changed while it was read'],
  NO_SPACE: ['space', 'no space left'],
  TOO_SMALL: ['space', 'too small'],
  UNSUPPORTED: ['unsupported', 'not supported'],
  ARGUMENT: ['argument', 'bad argument'],
  IO: ['io', 'input/output error'],
  ADDON_MISSING: ['internal', 'the native addon is missing'],
  ADDON_MISMATCH: ['internal', 'the native addon does not fit this version'],

  NOT_LINK: ['kind', 'not a symbolic link'],
  NO_CONTENT: ['kind', 'a {type} has no content'],
  LINK_LOOP: ['kind', 'too many levels of symbolic links'],
  TOO_LARGE: ['argument', 'too large'],
  HAS_CONTENT: ['exists', 'contains {what}'],
  TRUNCATED: ['damage', 'the volume has {expected} bytes, the device only {found}'],
  GEOMETRY: ['damage', 'superblock {position}: {field} is {found}, {rule}'],
  RESERVED: ['damage', '{record}: reserved byte at offset {offset} is not zero'],
  CHECKPOINT: ['damage', 'no valid checkpoint block'],
  LOG_DAMAGED: [
    'damage',
    'log: record of transaction {txn} at log block {at} is damaged, for transaction {later} stands at log block {laterAt}',
  ],
  LOG_ITEM: ['damage', 'log: transaction {txn}, item {item}: {cause}'],
  PAGE: ['damage', '{region} page {page}: no valid copy: {cause}'],
  PAGE_CONTENT: ['damage', '{region} page {page}: {cause}'],
  ANCHOR_MISSING: ['damage', 'file {number}: no anchor in cortex pages {first} and {second} or the stash'],
  ANCHOR: ['damage', 'file {number}: anchor in {region} page {page}, slot {slot}: {cause}'],
  BLOCK_LOST: ['damage', 'file {number}: block {index}: no live descriptor of a candidate names it'],
  BLOCK_DATA: ['damage', 'file {number}: block {index} (block {block} of the volume): {cause}'],
  BLOCK_FORGED: ['damage', 'file {number}: block {index} (block {block} of the volume): {cause}'],
  BLOCK_TWICE: ['damage', 'file {number}: block {index}: named by the descriptors of blocks {block} and {other}'],
  DIRECTORY: ['damage', 'directory {number}: block {index}: {cause}'],
  ENTRY: ['damage', 'directory {number}: entry "{name}": {cause}'],
  EXTENSION: ['damage', 'file {number}: extension unit {unit}: {cause}'],
  PRESENCE: ['damage', 'file {number}: presence node {node}: {cause}'],
  SEGMENT: ['damage', 'file {number}: segment at block {first}: {cause}'],
} as const satisfies Record<string, readonly [ErrorClass, string]>

export type ErrorCode = keyof typeof CODES

/** Numbers and names that belong to an error; `path` and `hint` are shown apart from the rest. */
export interface ErrorDetail {
  /** The image, file or directory that is meant. */
  readonly path?: string
  /** What the user can do about it, without a full stop. */
  readonly hint?: string
  /** Replaces the code's own sentence, without a full stop. */
  readonly text?: string
  readonly [name: string]: string | number | bigint | boolean | undefined
}

const APART = new Set(['path', 'hint', 'text'])

export class Hn4Error extends Error {
  override readonly name = 'Hn4Error'
  readonly code: ErrorCode
  readonly detail: ErrorDetail

  constructor(code: ErrorCode, detail: ErrorDetail = {}, options?: ErrorOptions) {
    super(messageOf(detail.text ?? CODES[code][1], detail), options)
    this.code = code
    this.detail = detail
  }

  get class(): ErrorClass {
    return CODES[this.code][0]
  }
}

function messageOf(sentence: string, detail: ErrorDetail): string {
  const used = new Set<string>()
  const text = sentence.replace(/\{(\w+)\}/g, (_, name: string) => {
    used.add(name)
    return String(detail[name])
  })
  const rest = Object.entries(detail)
    .filter(([name, value]) => !APART.has(name) && !used.has(name) && value !== undefined)
    .map(([name, value]) => `${name} ${value}`)
  return printable(rest.length > 0 ? `${text} (${rest.join(', ')})` : text)
}

/** True if `error` says that stored bytes are wrong (rather than the question). */
export function isDamage(error: unknown): error is Hn4Error {
  return error instanceof Hn4Error && error.class === 'damage'
}

/**
 * Takes the damage that is in the way of reading a volume. If it returns, what is missing is passed over and the
 * rest is read.
 */
export type OnMissing = (error: Hn4Error) => void

/** Passes over nothing. */
export const refuse: OnMissing = error => {
  throw error
}

/** The Hn4Error of a failed system call `operation` on `path`. */
export function ioError(path: string, operation: string, error: unknown): Hn4Error {
  if (error instanceof Hn4Error) return error
  const name = (error as NodeJS.ErrnoException).code
  if (name === 'EACCES' || name === 'EPERM') return new Hn4Error('ACCESS', { path }, { cause: error })
  if (name === 'EBUSY') return new Hn4Error('BUSY', { path }, { cause: error })
  const cause = name === undefined ? String(error) : errnoWords(name)
  return new Hn4Error(
    name === 'ENOENT' ? 'NOT_FOUND' : 'IO',
    { path, text: `${operation}: ${cause}` },
    { cause: error },
  )
}

/** What `read` gives; null where it throws an error of ours: the volume is damaged there. */
export function orNull<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof Hn4Error) return null
    throw error
  }
}

/** Text of what was thrown, for a cause inside another error. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
