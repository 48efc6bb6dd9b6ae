// What every filesystem under test has in common: make, mount, unmount, and where its costs are read.
import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { which } from '../../bootstrap/tools.mjs'
import { mounted, unmount } from '../shell.mjs'

export class Target {
  /** `limit`: does no work; `hn4`; `kernel`: a filesystem of the kernel on a loop device; `peer`: another daemon. */
  kind = 'peer'
  /** Takes part with --full or by name only. */
  isSlow = false
  /** Programs that must be there. */
  programs = []
  /** Options of mkfs beside the usual ones, for what is measured. */
  mkfsOptions = []
  constructor(name, stage) {
    this.name = name
    this.stage = stage
    this.folder = join(stage.folder, name)
    this.dir = join(this.folder, 'mnt')
  }

  /** Why it cannot take part, or null. */
  missing() {
    const absent = this.programs.find(program => which(program) === undefined)
    return absent === undefined ? null : `${absent} is not installed`
  }

  /** Whether remounting and dropping caches makes the next reads come from the disk. */
  get hasDisk() {
    return true
  }
  /** Whether its size is that of an image file (`bytes`). */
  get hasImage() {
    return false
  }
  /** Process ids of the daemon, for CPU time and switches. */
  pids() {
    return []
  }
  /** Loop device, whose counters are its I/O; else the daemon's own are taken. */
  get device() {
    return undefined
  }

  async make() {
    await this.destroy()
    mkdirSync(this.dir, { recursive: true })
  }
  async mount() {}
  async unmount() {
    await unmount(this.dir)
  }
  async destroy() {
    if (mounted(this.dir) !== undefined) await this.unmount()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** An image file of `bytes`, of the stage's size where no group has set that. */
  image() {
    const path = join(this.folder, 'disk.img')
    const file = openSync(path, 'w')
    ftruncateSync(file, this.bytes ?? this.stage.bytes)
    closeSync(file)
    return path
  }
}
