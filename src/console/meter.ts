/**
 * The numbers of a long job. They must not lie: the share is never above 100 % and 100 only at the
 * end, the time left is not shown before two samples, and a job that stands still is called stalled.
 */

/** Rate and time left come from the last seconds, not from the whole run. */
const WINDOW_MS = 10_000
/** Two samples closer than this say nothing about the rate. */
const SAMPLE_MS = 500
/** Without progress for so long the job is called stalled. */
export const STALLED_MS = 30_000
/** A longer time left is not a forecast but an accident of division. */
const ETA_MAX_SECONDS = 30 * 86_400

export interface Reading {
  readonly done: number
  readonly total: number | undefined
  /** Whole percent, undefined while the total is unknown. */
  readonly percent: number | undefined
  /** Units per second, undefined until two samples exist. */
  readonly rate: number | undefined
  readonly secondsLeft: number | undefined
  readonly elapsedSeconds: number
  readonly stalled: boolean
}

export class Meter {
  #total: number | undefined
  #done = 0
  readonly #startMs: number
  #lastChangeMs: number
  #samples: { readonly atMs: number; readonly done: number }[]
  readonly #now: () => number

  /** `total` in any unit (undefined if not known), `now` in milliseconds of a monotonic clock. */
  constructor(total: number | undefined, now: () => number = () => performance.now()) {
    this.#total = total
    this.#now = now
    this.#startMs = now()
    this.#lastChangeMs = this.#startMs
    this.#samples = [{ atMs: this.#startMs, done: 0 }]
  }

  /** Units done so far, from the start; the total may become known, or change, on the way. */
  update(done: number, total: number | undefined = this.#total): void {
    const atMs = this.#now()
    if (done > this.#done) this.#lastChangeMs = atMs
    this.#done = Math.max(this.#done, done)
    this.#total = total
    const last = this.#samples.at(-1)
    if (last !== undefined && atMs - last.atMs < SAMPLE_MS) return
    this.#samples.push({ atMs, done: this.#done })
    const oldest = atMs - WINDOW_MS
    while (this.#samples.length > 2 && (this.#samples[1]?.atMs ?? 0) <= oldest) this.#samples.shift()
  }

  read(): Reading {
    const atMs = this.#now()
    const total = this.#total
    const stalled = atMs - this.#lastChangeMs >= STALLED_MS
    const rate = this.#rate(atMs)
    const left = total === undefined ? undefined : Math.max(0, total - this.#done)
    const seconds = rate === undefined || rate <= 0 || left === undefined ? undefined : left / rate
    return {
      done: this.#done,
      total,
      percent: this.#percent(),
      rate,
      secondsLeft: stalled || seconds === undefined || seconds > ETA_MAX_SECONDS ? undefined : seconds,
      elapsedSeconds: (atMs - this.#startMs) / 1000,
      stalled,
    }
  }

  #percent(): number | undefined {
    if (this.#total === undefined) return undefined
    if (this.#done >= this.#total) return 100
    return Math.min(99, Math.floor((this.#done / this.#total) * 100))
  }

  #rate(atMs: number): number | undefined {
    const first = this.#samples[0]
    if (first === undefined || this.#samples.length < 2 || atMs <= first.atMs) return undefined
    return ((this.#done - first.done) * 1000) / (atMs - first.atMs)
  }
}
