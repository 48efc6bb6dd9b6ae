/** What a check found: a code, a place, a severity; kept up to a limit, counted beyond it. */
import { Hn4Error } from '../src/base/error.ts'
import type { JsonObject } from '../src/console/json.ts'
import { BLOCK_SIZE } from '../src/format/layout.ts'

const BLOCK_BYTES = BigInt(BLOCK_SIZE)

/** error: bytes are lost or the structure is wrong; warning: a second copy is, or something to know. */
export type Severity = 'error' | 'warning'

export interface Finding {
  readonly pass: string
  readonly code: string
  readonly severity: Severity
  readonly message: string
  /** The file that is meant, as a path where one is known. */
  readonly path?: string
  readonly number?: number | bigint
  /** Bytes of the file that are damaged: [from, to). */
  readonly from?: bigint
  readonly to?: bigint
  /** Block of the volume. */
  readonly block?: number
}

const KEPT = 10_000

/** Bytes of blocks [first, first + count) of a file of `size` bytes; one byte at least. */
export function byteRange(first: number, count: number, size: bigint): { from: bigint; to: bigint } {
  const from = BigInt(first) * BLOCK_BYTES
  const end = from + BigInt(count) * BLOCK_BYTES
  const to = end < size ? end : size
  return { from, to: to > from ? to : from + 1n }
}

export class Findings {
  readonly list: Finding[] = []
  readonly #onFinding: (finding: Finding) => void
  errors = 0
  warnings = 0

  /** `onFinding` sees each one at once. */
  constructor(onFinding: (finding: Finding) => void) {
    this.#onFinding = onFinding
  }

  add(finding: Finding): void {
    if (finding.severity === 'error') this.errors++
    else this.warnings++
    if (this.list.length < KEPT) this.list.push(finding)
    this.#onFinding(finding)
  }

  /** Takes a thrown error of the volume as a finding; anything else is thrown on. */
  take(pass: string, error: unknown, place: Partial<Finding> = {}, severity: Severity = 'error'): void {
    if (!(error instanceof Hn4Error)) throw error
    this.add({ pass, code: error.code, severity, message: error.message, ...place })
  }

  get total(): number {
    return this.errors + this.warnings
  }
}

export function findingText(f: Finding): string {
  const range = f.from === undefined ? '' : `, bytes ${f.from} to ${(f.to ?? f.from + 1n) - 1n}`
  const where = f.path === undefined ? '' : `${f.path}${range}: `
  return `${where}${f.message}`
}

export function findingJson(f: Finding): JsonObject {
  return {
    pass: f.pass,
    code: f.code.toLowerCase(),
    severity: f.severity,
    message: f.message,
    path: f.path,
    // One that no file can have stands in the message only.
    number: Number.isSafeInteger(Number(f.number)) ? Number(f.number) : undefined,
    byte_from: f.from,
    byte_to: f.to,
    block: f.block,
  }
}
