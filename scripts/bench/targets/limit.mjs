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
    if (this.transport === 'uring') this.stage.keepUring()
    const [program, ...args] = this.command()
    this.child = daemon(program, args)
    const { child } = this
    await until(() => mounted(this.dir) !== undefined || child.exitCode !== null, this.name)
    if (mounted(this.dir) === undefined) throw new Error(`${this.name}: ended with ${child.exitCode} before it mounted`)
  }
  async unmount() {
    await super.unmount()
    this.child = undefined
  }
}

/** What any FUSE daemon can do at best. */
export class Limit extends Memory {
  constructor(stage, transport, name = 'limit') {
    super(name, stage, transport)
  }
  get flags() {
    return this.transport === 'uring' ? ['--uring'] : []
  }
  command() {
    return [this.stage.memfuse, this.dir, ...this.flags]
  }
}

/** The same for one that has extended attributes, for which the kernel asks: no limit in the tables, a part of it. */
export class Floor extends Limit {
  kind = 'peer'
  isSlow = true
  constructor(stage, transport) {
    super(stage, transport, 'floor')
  }
  get flags() {
    return [...super.flags, '--xattrs']
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
