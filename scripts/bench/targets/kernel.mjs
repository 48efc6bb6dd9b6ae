// Filesystems of the kernel, on a loop device over a file of the same disk.
import { must, quiet } from '../shell.mjs'
import { Target } from './target.mjs'

const KINDS = {
  ext4: { mkfs: ['mkfs.ext4', '-q', '-F'], module: 'ext4' },
  'ext4-inline': { mkfs: ['mkfs.ext4', '-q', '-F', '-O', 'inline_data'], module: 'ext4' },
  xfs: { mkfs: ['mkfs.xfs', '-q', '-f'], module: 'xfs' },
  btrfs: { mkfs: ['mkfs.btrfs', '-q', '-f'], module: 'btrfs' },
}

/**
 * Beyond this its tables of inodes are not written by mkfs: they would fill the host's disk. Below it they are, so
 * that no thread writes them while something is measured.
 */
const LAZY_BYTES = 64 * 2 ** 30

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
  get hasImage() {
    return true
  }
  missing() {
    return super.missing() ?? (this.stage.knows(this.type.module) ? null : `the kernel has no ${this.type.module}`)
  }

  async make() {
    await super.make()
    this.path = this.image()
    const [program, ...args] = this.type.mkfs
    this.isLazy = this.bytes >= LAZY_BYTES
    const lazy = this.isLazy ? 1 : 0
    if (this.type.module === 'ext4') args.push('-E', `lazy_itable_init=${lazy},lazy_journal_init=${lazy}`)
    must(program, ...args, ...this.mkfsOptions, this.path)
  }
  /** xfs and btrfs have no such number. */
  get optionsForFiles() {
    // With inodes for the directories too.
    return this.type.module === 'ext4' ? files => ['-N', String(Math.ceil(files * 1.01) + 100)] : undefined
  }
  async mount() {
    this.#loop = must('losetup', '--find', '--show', `--direct-io=${this.isDirect ? 'on' : 'off'}`, this.path)
    const options = this.isLazy && this.type.module === 'ext4' ? ['-o', 'noinit_itable'] : []
    const began = performance.now()
    must('mount', '-t', this.type.module, ...options, this.#loop, this.dir)
    this.mountSeconds = (performance.now() - began) / 1000
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
