/** Damage met on the way: shown at once, kept for --json and the exit code; what can be read is still shown. */
import { Hn4Error } from '../base/error.ts'
import type { Context } from '../console/context.ts'
import { EXIT } from '../console/exit-codes.ts'
import { failureLine, failureOf } from '../console/failure.ts'
import type { JsonObject } from '../console/json.ts'

export class DamageReport {
  readonly #ctx: Context
  readonly #errors: Hn4Error[] = []

  constructor(ctx: Context) {
    this.#ctx = ctx
  }

  /** Takes what was thrown; what is not an error of the volume is thrown on. */
  readonly add = (error: unknown): void => {
    if (!(error instanceof Hn4Error)) throw error
    this.#errors.push(error)
    const { io, tool, exits, isJson } = this.#ctx
    if (!isJson) io.stderr.write(`${failureLine(tool, failureOf(error, exits))}\n`)
  }

  get json(): JsonObject[] {
    return this.#errors.map(errorJson)
  }

  get exitCode(): number {
    return this.#errors.length > 0 ? EXIT.UNCORRECTED : EXIT.OK
  }
}

export function errorJson(error: Hn4Error): JsonObject {
  return { code: error.code, message: error.message, path: error.detail.path }
}
