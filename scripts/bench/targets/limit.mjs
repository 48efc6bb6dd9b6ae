// The limit: daemons in memory that do no work. One in C over either transport, and MemVfs on our own session.
import { daemon, mounted, until } from '../shell.mjs'
import { Target } from './target.mjs'

export class Limit extends Target {
  kind = 'limit'
  constructor(stage, transport, flags = []) {
    super(`limit-${transport}`, stage)
    this.transport = transport
    this.flags = [...(transport === 'uring' ? ['--uring'] : []), ...flags]
  }

  missing() {
    return this.transport === 'uring' ? this.stage.uringMissing() : null
  }
  get hasDisk() {
    return false
  }
  pids() {
    return this.child === undefined ? [] : [this.child.pid]
  }

  async mount() {
    this.child = daemon(this.stage.memfuse, [this.dir, ...this.flags])
    await until(() => mounted(this.dir) !== undefined, this.name)
  }
  async unmount() {
    await super.unmount()
    this.child = undefined
  }
}
