/** Runs a list of passes over an image, shows what they find and how far they are, and says how it ended. */
import { realpathSync, statSync, writeSync } from 'node:fs'
import { Hn4Error, ioError } from '../src/base/error.ts'
import { printable } from '../src/base/printable.ts'
import type { Context } from '../src/console/context.ts'
import { EXIT } from '../src/console/exit-codes.ts'
import type { JsonObject } from '../src/console/json.ts'
import type { Progress } from '../src/console/progress.ts'
import { counted } from '../src/console/size.ts'
import { writtenBy } from '../src/device/in-use.ts'
import type { CodecMaker } from '../src/format/block-codec.ts'
import { dataBlocks } from '../src/format/geometry.ts'
import { slotCounts } from '../src/format/parts.ts'
import { Volume } from '../src/reader/volume.ts'
import { Cancelled, Check, type Pass, Step } from './check.ts'
import { Findings, findingJson, findingText } from './finding.ts'

export interface RunSettings {
  readonly image: string
  readonly passes: readonly Pass[]
  /** Descriptor for `pass current maximum device` lines (fsck -C); undefined: none. */
  readonly progressFd?: number | undefined
  /** Of volumes whose descriptors are not plain; no command of this version has one. */
  readonly codec?: CodecMaker | undefined
}

/** @throws Hn4Error BUSY if the image is being written to */
function refuseMoving(image: string): void {
  try {
    const path = realpathSync(image)
    const writer = writtenBy(path, statSync(path, { bigint: true }))
    if (writer !== null) throw new Hn4Error('BUSY', { path: image, text: `${writer}; check it when it is not in use` })
  } catch (error) {
    throw ioError(image, 'open', error)
  }
}

/** Runs the passes; returns the exit code of fsck(8). @throws Hn4Error if the volume cannot be opened */
export async function runPasses(ctx: Context, settings: RunSettings): Promise<number> {
  refuseMoving(settings.image)
  const volume = Volume.open(settings.image, settings.codec)
  const runner = new Runner(ctx, settings, volume)
  try {
    return await runner.run()
  } finally {
    volume.close()
  }
}

class Runner {
  readonly #ctx: Context
  readonly #settings: RunSettings
  readonly #check: Check
  #progress: Progress | null = null
  #isBarOn: boolean
  #isCancelled = false
  readonly #done: JsonObject[] = []

  constructor(ctx: Context, settings: RunSettings, volume: Volume) {
    this.#ctx = ctx
    this.#settings = settings
    this.#isBarOn = !ctx.isQuiet && !ctx.isJson
    const findings = new Findings(finding => {
      this.#progress?.clear()
      if (!ctx.isJson) ctx.result(`${finding.severity}: ${printable(findingText(finding))}`)
    })
    this.#check = new Check(volume, findings)
  }

  async run(): Promise<number> {
    const stop = this.#listen()
    try {
      for (const [i, pass] of this.#settings.passes.entries()) await this.#pass(pass, i)
    } catch (error) {
      if (!(error instanceof Cancelled)) throw error
      this.#isCancelled = true
    } finally {
      this.#progress?.clear()
      stop()
    }
    return this.#summary()
  }

  /** SIGUSR1: one line of progress now; SIGUSR2: no more progress. */
  #listen(): () => void {
    const onShow = (): void => void this.#ctx.io.stderr.write(`${this.#progress?.line() ?? 'starting'}\n`)
    const onHide = (): void => {
      this.#progress?.clear()
      this.#isBarOn = false
    }
    process.on('SIGUSR1', onShow)
    process.on('SIGUSR2', onHide)
    return () => {
      process.off('SIGUSR1', onShow)
      process.off('SIGUSR2', onHide)
    }
  }

  async #pass(pass: Pass, i: number): Promise<void> {
    const { passes, progressFd, image } = this.#settings
    const total = pass.total?.(this.#check)
    const title = `[${i + 1}/${passes.length}] ${pass.name}`
    const progress = this.#ctx.progress({ title, unit: pass.unit, ...(total !== undefined && { total }) })
    this.#progress = progress
    this.#check.pass = pass.name
    const step = new Step(done => {
      if (this.#isBarOn) progress.update(done)
      if (progressFd !== undefined && progressFd > 0) report(progressFd, `${i + 1} ${done} ${total ?? 0} ${image}\n`)
    }, this.#ctx.cancelled)
    await pass.run(this.#check, step)
    progress.update(step.done, step.done)
    if (this.#isBarOn) progress.finish()
    else progress.clear()
    this.#done.push({
      name: pass.name,
      unit: pass.unit,
      done: step.done,
      seconds: Math.round(progress.reading().elapsedSeconds * 1000) / 1000,
    })
    this.#progress = null
  }

  #exitCode(): number {
    const damage = this.#check.findings.errors > 0 ? EXIT.UNCORRECTED : EXIT.OK
    return this.#isCancelled ? damage | EXIT.CANCELLED : damage
  }

  #summary(): number {
    const { findings, files, liveBlocks, volume } = this.#check
    const exit = this.#exitCode()
    const slots = slotCounts(volume.core.geometry)
    const { image } = this.#settings
    if (this.#ctx.isJson) {
      this.#ctx.json({
        image,
        clean: findings.errors === 0,
        cancelled: this.#isCancelled,
        errors: findings.errors,
        warnings: findings.warnings,
        files: files.size,
        live_blocks: liveBlocks,
        passes: this.#done,
        findings: findings.list.map(findingJson),
        damaged_files: this.#damagedFiles(),
        exit,
      })
      return exit
    }
    if (this.#isCancelled) this.#ctx.print(`${image}: cancelled`)
    const state =
      findings.errors === 0
        ? 'clean'
        : `DAMAGED: ${counted(findings.errors, 'error')} in ${counted(this.#damagedFiles().length, 'file')}`
    const warnings = findings.warnings === 0 ? '' : `, ${counted(findings.warnings, 'warning')}`
    const total = this.#check.isPartial ? '' : `/${slots.cortex + slots.stash}`
    const blocks = this.#check.isPartial ? '' : `, ${liveBlocks}/${dataBlocks(volume.core.geometry)} blocks`
    this.#ctx.print(`${image}: ${state}${warnings}, ${files.size}${total} files${blocks}`)
    return exit
  }

  #damagedFiles(): string[] {
    const named = this.#check.findings.list
      .filter(f => f.severity === 'error')
      .flatMap(f => f.path ?? (f.number === undefined ? [] : `file ${f.number}`))
    return [...new Set(named)]
  }
}

function report(fd: number, line: string): void {
  try {
    writeSync(fd, line)
  } catch {
    // The reader of the progress lines has gone; the check goes on.
  }
}
