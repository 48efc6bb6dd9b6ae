// Filesystems of the kernel, on a loop device over a file of the same disk.
import { must, quiet } from '../shell.mjs'
import { Target } from './target.mjs'

const KINDS = {
  ext4: { mkfs: ['mkfs.ext4', '-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0'], module: 'ext4' },
  'ext4-inline': { mkfs: ['mkfs.ext4', '-q', '-F', '-O', 'inline_data', '-E', 'lazy_itable_init=0'], module: 'ext4' },
  xfs: { mkfs: ['mkfs.xfs', '-q', '-f'], module: 'xfs' },
  btrfs: { mkfs: ['mkfs.btrfs', '-q', '-f'], module: 'btrfs' },
}

export class Kernel extends Target {
  kind = 'kernel'
  #loop
  constructor(stage, type, isDirect) {
    super(isDirect ? `${type}-direct` : type, stage)
    this.type = KINDS[type]
    this.isDirect = isDirect
    this.programs = [this.type.mkfs[0], 'losetup']
  }

  get device() {
    return this.#loop
  }
  missing() {
    return super.missing() ?? (this.stage.knows(this.type.module) ? null : `the kernel has no ${this.type.module}`)
  }

  async make() {
    await super.make()
    this.path = this.image()
    const [program, ...args] = this.type.mkfs
    must(program, ...args, this.path)
  }
  async mount() {
    this.#loop = must('losetup', '--find', '--show', `--direct-io=${this.isDirect ? 'on' : 'off'}`, this.path)
    must('mount', '-t', this.type.module, this.#loop, this.dir)
  }
  async unmount() {
    await super.unmount()
    if (this.#loop !== undefined) quiet('losetup', '--detach', this.#loop)
    this.#loop = undefined
  }
  async destroy() {
    await super.destroy()
    if (this.#loop !== undefined) quiet('losetup', '--detach', this.#loop)
  }
}
