// The limit: daemons in memory that do no work. One in C over either transport, and MemVfs on our own session.
import { daemon, mounted, until } from '../shell.mjs'
import { Target } from './target.mjs'

class Memory extends Target {
  kind = 'limit'
  constructor(name, stage, transport) {
    super(`${name}-${transport}`, stage)
    this.transport = transport
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
    const [program, ...args] = this.command()
    this.child = daemon(program, args)
    await until(() => mounted(this.dir) !== undefined, this.name)
  }
  async unmount() {
    await super.unmount()
    this.child = undefined
  }
}

/** What any FUSE daemon can do at best. */
export class Limit extends Memory {
  constructor(stage, transport) {
    super('limit', stage, transport)
  }
  command() {
    return [this.stage.memfuse, this.dir, ...(this.transport === 'uring' ? ['--uring'] : [])]
  }
}

/** What a filesystem behind our session can do at best. */
export class MemVfs extends Memory {
  constructor(stage, transport) {
    super('memvfs', stage, transport)
  }
  missing() {
    try {
      this.stage.memfs()
    } catch (error) {
      return error.message
    }
    return super.missing()
  }
  command() {
    return [this.stage.memfs(), this.dir, `default_permissions,allow_other,transport=${this.transport}`]
  }
  async mount() {
    await super.mount()
    await until(() => this.child.said.includes('\n'), `${this.name}: the line that says its transport`)
    if (this.child.said.includes('Uring') !== (this.transport === 'uring'))
      throw new Error(`${this.name}: ${this.child.said.trim()}`)
  }
}
