/** The frame of a check: named passes over one opened volume, with progress, signals and cancellation. */
import { setImmediate } from 'node:timers/promises'
import type { Hn4Error } from '../src/base/error.ts'
import type { Slot } from '../src/format/slot.ts'
import { PathFinder } from '../src/reader/back-links.ts'
import type { SlotPlace } from '../src/reader/cortex.ts'
import { FileBlocks } from '../src/reader/file-blocks.ts'
import type { Volume } from '../src/reader/volume.ts'
import type { Finding, Findings, Severity } from './finding.ts'

/** What the passes know of a file; filled by the anchors pass, used by the later ones. */
export interface FileRecord {
  readonly number: number
  readonly hint: number
  readonly type: number
  readonly nlink: number
  /** Blocks it says it owns. */
  readonly blocks: number
  readonly size: bigint
  readonly place: SlotPlace
  readonly parent: number
  readonly isLeaving: boolean
  /** Without names, or with blocks that a truncation has to free: it belongs into the orphan directory. */
  readonly isWaiting: boolean
  readonly hasExtension: boolean
  readonly publicId: string | null
  /** Live blocks found that name it. */
  found: number
  /** Names that lead to it, without the orphan directory's. */
  names: number
  subdirectories: number
  isOrphan: boolean
}

export interface Pass {
  readonly name: string
  /** What is counted, for the line of the pass: `pages`, `files`. */
  readonly unit: 'bytes' | 'items'
  /** Amount of work if it is known before. */
  readonly total?: (check: Check) => number
  readonly run: (check: Check, step: Step) => Promise<void>
}

/** Thrown inside a pass when the user has cancelled. */
export class Cancelled extends Error {}

/** Progress of a pass; `await` its pause in every loop, so that signals and the bar are served. */
export class Step {
  done = 0
  readonly #onProgress: (done: number) => void
  readonly #signal: AbortSignal
  #next = 0

  constructor(onProgress: (done: number) => void, signal: AbortSignal) {
    this.#onProgress = onProgress
    this.#signal = signal
  }

  add(amount: number): void {
    this.done += amount
  }

  /** True if it is time to pause: the loop then awaits `pause`. */
  get isDue(): boolean {
    return performance.now() >= this.#next
  }

  async pause(): Promise<void> {
    this.#onProgress(this.done)
    await setImmediate()
    if (this.#signal.aborted) throw new Cancelled()
    this.#next = performance.now() + PAUSE_MS
  }
}

const PAUSE_MS = 25
const CACHED_FILES = 512

export class Check {
  readonly volume: Volume
  readonly findings: Findings
  readonly paths: PathFinder
  readonly files = new Map<number, FileRecord>()
  /** Live blocks and extension units as counted. */
  liveBlocks = 0
  units = 0
  readonly damagedAnchors: { readonly number: bigint; readonly error: Hn4Error }[] = []
  /** Their numbers: many blocks may ask. */
  readonly damagedNumbers = new Set<bigint>()
  /** A page of anchors is lost: which files stood there, only the directories know. */
  isAnchorLost = false
  /** Public ids entered in the directory of ids. */
  readonly publicIds = new Set<string>()
  /** Every directory could be read whole: a missing name is then really missing. */
  isNamesWhole = true
  /** Only the files below a path are checked. */
  isPartial = false
  /** A page of maps or descriptors is lost: counts say nothing then. */
  isCountable = true
  pass = ''
  readonly #blocks = new Map<number, FileBlocks | null>()

  constructor(volume: Volume, findings: Findings) {
    this.volume = volume
    this.findings = findings
    this.paths = new PathFinder(volume)
  }

  add(code: string, message: string, place: Partial<Finding> = {}, severity: Severity = 'error'): void {
    this.findings.add({ pass: this.pass, code, severity, message, ...place })
  }

  take(error: unknown, place: Partial<Finding> = {}, severity: Severity = 'error'): void {
    this.findings.take(this.pass, error, place, severity)
  }

  /** How a file is named in a finding: its path, or at least its number. */
  placeOf(number: number, hint: number): Partial<Finding> {
    const path = this.paths.pathOfNumber(number, hint)
    return path === null ? { number } : { number, path }
  }

  /** The blocks of a file, cached; null if its anchor is not readable. `load` gives its slot. */
  blocksOf(number: number, load: () => Slot | null): FileBlocks | null {
    let blocks = this.#blocks.get(number)
    if (blocks === undefined) {
      const slot = load()
      blocks = slot === null ? null : new FileBlocks(this.volume.core, slot, () => this.volume.overwrites)
      this.#blocks.set(number, blocks)
      if (this.#blocks.size > CACHED_FILES) this.#blocks.delete(this.#blocks.keys().next().value!)
    }
    return blocks
  }
}
