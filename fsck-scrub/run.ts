/** Runs a list of passes over an image, shows what they find and how far they are, and says how it ended. */
import { Hn4Error } from '../src/base/error.ts'
import { realpathSync, statSync, writeSync } from '../src/base/host-files.ts'
import { printable } from '../src/base/printable.ts'
import type { Context } from '../src/console/context.ts'
import { EXIT } from '../src/console/exit-codes.ts'
import type { JsonObject } from '../src/console/json.ts'
import type { Progress } from '../src/console/progress.ts'
import { counted } from '../src/console/size.ts'
import { ImageFile } from '../src/device/image.ts'
import { writtenBy } from '../src/device/in-use.ts'
import { openError } from '../src/device/refusal.ts'
import type { CodecMaker } from '../src/format/block-codec.ts'
import { dataBlocks, type Geometry } from '../src/format/geometry.ts'
import { slotCounts } from '../src/format/parts.ts'
import type { ImageLock } from '../src/native/lock.ts'
import { lockImage } from '../src/native/locking.ts'
import { Unchanged } from '../src/reader/unchanged.ts'
import { Volume } from '../src/reader/volume.ts'
import { Cancelled, Check, type Pass, Step } from './check.ts'
import { Findings, findingJson, findingText } from './finding.ts'

export interface RunSettings {
  readonly image: string
  readonly passes: readonly Pass[]
  /** Only the files below this path of the volume are checked. */
  readonly path?: string | undefined
  /** A volume that was unmounted cleanly is clean, without a check. */
  readonly trustClean?: boolean
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
    throw openError(image, error)
  }
}

/**
 * Runs the passes; returns the exit code of fsck(8). Nobody who takes the lock writes meanwhile.
 * @throws Hn4Error if the volume cannot be opened, or CHANGED if somebody wrote to it all the same
 */
export async function runPasses(ctx: Context, settings: RunSettings): Promise<number> {
  refuseMoving(settings.image)
  const source = new ImageFile(settings.image)
  let lock: ImageLock | null = null
  const unchanged = new Unchanged(source)
  try {
    lock = lockImage(source.fd, settings.image, false)
    const volume = new Volume(source, settings.codec)
    unchanged.watch(volume)
    if (settings.trustClean === true && volume.core.isClean) return sayClean(ctx, settings.image, volume)
    return await new Runner(ctx, settings, volume, unchanged).run()
  } catch (error) {
    throw unchanged.judge(error)
  } finally {
    lock?.release()
    source.close()
  }
}

/** What a volume that was unmounted cleanly says of itself, in the words of a check that found nothing. */
function sayClean(ctx: Context, image: string, { core }: Volume): number {
  const { files, live_blocks } = core.log.checkpoint
  if (ctx.isJson)
    ctx.json({
      image,
      clean: true,
      cancelled: false,
      errors: 0,
      warnings: 0,
      files,
      live_blocks,
      passes: [],
      findings: [],
      damaged_files: [],
      exit: EXIT.OK,
    })
  ctx.print(printable(`${image}: clean, ${amounts(core.geometry, files, live_blocks)}`))
  return EXIT.OK
}

/** `3/5,376 files, 12/60,000 blocks`. */
function amounts(geometry: Geometry, files: number | bigint, blocks: number | bigint): string {
  const slots = slotCounts(geometry)
  return `${files}/${slots.cortex + slots.stash} files, ${blocks}/${dataBlocks(geometry)} blocks`
}

/** Thrown where a finding would be one of an image that somebody else has changed. */
class Changed extends Error {}

class Runner {
  readonly #ctx: Context
  readonly #settings: RunSettings
  readonly #check: Check
  #progress: Progress | null = null
  #isBarOn: boolean
  #isCancelled = false
  readonly #done: JsonObject[] = []

  readonly #unchanged: Unchanged

  constructor(ctx: Context, settings: RunSettings, volume: Volume, unchanged: Unchanged) {
    this.#ctx = ctx
    this.#unchanged = unchanged
    this.#settings = settings
    this.#isBarOn = !ctx.isQuiet && !ctx.isJson
    const findings = new Findings(finding => {
      // No longer a matter of this volume; it stops at the next pause at the latest.
      if (unchanged.isChanged) throw new Changed()
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
      if (!(error instanceof Cancelled || error instanceof Changed)) throw error
      this.#isCancelled = error instanceof Cancelled
    } finally {
      this.#progress?.clear()
      stop()
    }
    if (this.#unchanged.isChanged) throw this.#unchanged.error()
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
    const { image, path } = this.#settings
    if (this.#ctx.isJson) {
      this.#ctx.json({
        image,
        path,
        // Only what was looked at to its end can be.
        clean: findings.errors === 0 && !this.#isCancelled,
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
    const warnings = findings.warnings === 0 ? '' : `, ${counted(findings.warnings, 'warning')}`
    const seen = this.#check.isPartial
      ? counted(files.size, 'file')
      : amounts(volume.core.geometry, files.size, liveBlocks)
    const what = path === undefined ? image : `${image}:${path}`
    this.#ctx.print(`${what}: ${this.#state()}${warnings}, ${seen}`)
    return exit
  }

  #state(): string {
    const { errors } = this.#check.findings
    const damage = `${counted(errors, 'error')} in ${counted(this.#damagedFiles().length, 'file')}`
    if (this.#isCancelled)
      return `cancelled, not checked to its end: ${errors === 0 ? 'no damage so far' : `DAMAGED so far: ${damage}`}`
    return errors === 0 ? 'clean' : `DAMAGED: ${damage}`
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
