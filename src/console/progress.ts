/**
 * Progress of long jobs on stderr. On a terminal one line that is drawn over, at most ten times a
 * second; elsewhere one plain line per 30 s and at the end; nothing with --quiet or --json.
 */
import { printable } from '../base/printable.ts'
import { Meter, type Reading } from './meter.ts'
import { formatCount, formatSeconds, formatSize, type SizeStyle } from './size.ts'

const REDRAW_MS = 100
const PLAIN_LINE_MS = 30_000

export interface ProgressTarget {
  write(text: string): void
  readonly isTerminal: boolean
  readonly columns: number
}

export interface ProgressSettings {
  readonly target: ProgressTarget
  /** False with --quiet and --json: nothing is written at all. */
  readonly enabled: boolean
  readonly sizes: SizeStyle
  readonly now?: () => number
}

export interface PassSettings {
  readonly title: string
  readonly total?: number
  readonly unit?: 'bytes' | 'items'
}

/** What one line says; the parts that are not known are left out. */
export function progressLine(title: string, unit: 'bytes' | 'items', reading: Reading, sizes: SizeStyle): string {
  const amount = (n: number) => (unit === 'bytes' ? formatSize(n, sizes) : formatCount(Math.round(n)))
  const parts = [title]
  if (reading.percent !== undefined) parts.push(`${reading.percent} %`)
  parts.push(reading.total === undefined ? amount(reading.done) : `${amount(reading.done)} of ${amount(reading.total)}`)
  if (reading.stalled) parts.push('stalled')
  else if (reading.rate !== undefined) parts.push(`${amount(Math.round(reading.rate))}/s`)
  if (reading.secondsLeft !== undefined && reading.percent !== 100)
    parts.push(`${formatSeconds(reading.secondsLeft)} left`)
  return parts.join(', ')
}

/** One pass of a job, from its start to its end. */
export class Progress {
  readonly #settings: ProgressSettings
  readonly #title: string
  readonly #unit: 'bytes' | 'items'
  readonly #meter: Meter
  readonly #now: () => number
  #drawnMs: number
  #isDrawn = false

  constructor(settings: ProgressSettings, pass: PassSettings) {
    this.#settings = settings
    this.#title = printable(pass.title)
    this.#unit = pass.unit ?? 'items'
    this.#now = settings.now ?? (() => performance.now())
    this.#meter = new Meter(pass.total, this.#now)
    this.#drawnMs = settings.target.isTerminal ? Number.NEGATIVE_INFINITY : this.#now()
  }

  /** Units done since the start; cheap enough to call for each item. */
  update(done: number, total?: number): void {
    this.#meter.update(done, total)
    const { target, enabled } = this.#settings
    const pauseMs = target.isTerminal ? REDRAW_MS : PLAIN_LINE_MS
    if (!enabled || this.#now() - this.#drawnMs < pauseMs) return
    this.#drawnMs = this.#now()
    this.#draw()
  }

  /** The line of this moment, without control codes (for SIGUSR1). */
  line(): string {
    return progressLine(this.#title, this.#unit, this.#meter.read(), this.#settings.sizes)
  }

  reading(): Reading {
    return this.#meter.read()
  }

  /** Ends the pass: one lasting line with the final numbers. */
  finish(): void {
    if (!this.#settings.enabled) return
    const reading = this.#meter.read()
    const amount = this.#unit === 'bytes' ? formatSize(reading.done, this.#settings.sizes) : formatCount(reading.done)
    this.clear()
    this.#settings.target.write(`${this.#title}, ${amount} in ${formatSeconds(reading.elapsedSeconds)}\n`)
  }

  /** Takes the drawn line away, for instance before an error is printed. */
  clear(): void {
    if (this.#isDrawn) this.#settings.target.write('\r\u001b[K')
    this.#isDrawn = false
  }

  #draw(): void {
    const { target } = this.#settings
    if (!target.isTerminal) {
      target.write(`${this.line()}\n`)
      return
    }
    target.write(`\r${this.line().slice(0, Math.max(1, target.columns - 1))}\u001b[K`)
    this.#isDrawn = true
  }
}
