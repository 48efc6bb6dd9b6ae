// hn4 on an image file, by either transport.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { must, quiet, until } from '../shell.mjs'
import { Target } from './target.mjs'

export class Hn4 extends Target {
  kind = 'hn4'
  constructor(stage, { transport, options = [], name = `hn4-${transport}` }) {
    super(name, stage)
    this.transport = transport
    this.options = [`transport=${transport}`, ...options]
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

  async make() {
    await super.make()
    this.path = this.image()
    must(process.execPath, this.#program('mkfs.hn4'), '-q', '--force', this.path)
  }
  async mount() {
    must(process.execPath, this.#program('hn4'), 'mount', '-o', this.options.join(','), this.path, this.dir)
    const status = JSON.parse(must(process.execPath, this.#program('hn4'), 'status', '--json', this.dir))
    this.pid = status.pid
    if (!String(status.transport).startsWith(this.transport === 'uring' ? 'io_uring' : '/dev/fuse'))
      throw new Error(`${this.name}: served over ${status.transport}`)
  }
  async unmount() {
    await until(() => quiet(process.execPath, this.#program('hn4'), 'umount', this.dir), `hn4 umount ${this.dir}`)
    this.pid = undefined
  }
}
