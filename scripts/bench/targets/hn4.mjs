// hn4 by either transport, on an image file; where costs are asked for on a loop device over it, whose requests the
// kernel counts.
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { must, quiet, unmount, until } from '../shell.mjs'
import { Target } from './target.mjs'

/**
 * Largest request of the loop device, in KiB: what it takes in one piece however the pages lie in memory
 * (scripts/cost/stage.mjs).
 */
const REQUEST_KIB = '512'

/** Process that has a file open, other than this one. */
function holderOf(path) {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .find(pid => {
      try {
        return readdirSync(`/proc/${pid}/fd`).some(fd => readlinkSync(`/proc/${pid}/fd/${fd}`) === path)
      } catch {
        // It has ended.
        return false
      }
    })
}

export class Hn4 extends Target {
  kind = 'hn4'
  #isKnown = false
  #loop
  #setting
  constructor(stage, { transport, options = [], name = `hn4-${transport}` }) {
    super(name, stage)
    this.transport = transport
    this.options = [`transport=${transport}`, ...options]
  }

  get hasImage() {
    return true
  }
  get device() {
    return this.#loop
  }
  missing() {
    return this.transport === 'uring' ? this.stage.uringMissing() : null
  }
  pids() {
    return this.pid === undefined ? [] : [this.pid]
  }

  #program(name) {
    const { bin } = JSON.parse(readFileSync(join(this.stage.top, 'package.json'), 'utf8'))
    return join(this.stage.top, bin[name])
  }

  /** A table of files of that size. */
  optionsForFiles(files) {
    return ['-N', String(files)]
  }

  async make() {
    await super.make()
    this.path = this.image()
    if (this.stage.isCosts) {
      this.#loop = must('losetup', '--find', '--show', '--direct-io=on', this.path)
      const setting = `/sys/block/${basename(this.#loop)}/queue/max_sectors_kb`
      this.#setting = [setting, readFileSync(setting, 'utf8')]
      writeFileSync(setting, REQUEST_KIB)
      this.path = this.#loop
    }
    must(process.execPath, this.#program('mkfs.hn4'), '-q', '--force', ...this.mkfsOptions, this.path)
  }
  async mount() {
    if (this.transport === 'uring') this.stage.keepUring()
    const began = performance.now()
    must(process.execPath, this.#program('hn4'), 'mount', '-o', this.options.join(','), this.path, this.dir)
    this.mountSeconds = (performance.now() - began) / 1000
    this.pid = holderOf(this.path)
    if (this.pid === undefined) throw new Error(`${this.name}: nobody has ${this.path} open`)
    if (!this.#isKnown) this.#checkTransport()
    this.#isKnown = true
  }
  #checkTransport() {
    const { transport } = JSON.parse(must(process.execPath, this.#program('hn4'), 'status', '--json', this.dir))
    if (!transport.startsWith(this.transport === 'uring' ? 'io_uring' : '/dev/fuse'))
      throw new Error(`${this.name}: served over ${transport}`)
  }
  async unmount() {
    await unmount(this.dir)
    await this.#ended()
  }
  /** Ends the daemon as a power cut would, and takes the dead mount off. */
  async crash() {
    process.kill(this.pid, 'SIGKILL')
    await this.#ended()
    await unmount(this.dir)
  }
  /** The image is complete when its daemon has ended. */
  async #ended() {
    const { pid } = this
    if (pid !== undefined) await until(() => !existsSync(`/proc/${pid}`), `${this.name}: the end of its daemon`, 60)
    this.pid = undefined
  }
  async destroy() {
    if (this.#loop !== undefined) {
      await unmount(this.dir)
      await this.#ended()
      writeFileSync(...this.#setting)
      quiet('losetup', '--detach', this.#loop)
    }
    this.#loop = undefined
    await super.destroy()
  }
}
