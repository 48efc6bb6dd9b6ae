// Where a run takes place: a folder on the disk, the programs, the switch of FUSE over io_uring, the tree of files.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildPrograms } from './programs.mjs'
import { must, quiet } from './shell.mjs'

const SWITCH = '/sys/module/fuse/parameters/enable_uring'

export class Stage {
  #before
  /** `top`: the built checkout; `parent`: a folder on the disk to be measured; `bytes`: of each image. */
  constructor({ top, parent, bytes }) {
    this.top = top
    this.bytes = bytes
    this.folder = mkdtempSync(join(parent, 'hn4-bench-'))
    const { work, memfuse } = buildPrograms(join(this.folder, 'programs'))
    this.work = work
    this.memfuse = memfuse
    if (existsSync(SWITCH)) {
      this.#before = readFileSync(SWITCH, 'utf8').trim()
      writeFileSync(SWITCH, 'Y')
    }
  }

  uringMissing() {
    return this.#before === undefined ? 'the kernel has no FUSE over io_uring (Linux 6.14)' : null
  }

  /** Whether the kernel has a filesystem, built in or as a module. */
  knows(name) {
    const has = () =>
      readFileSync('/proc/filesystems', 'utf8')
        .split('\n')
        .some(line => line.endsWith(`\t${name}`))
    return has() || (quiet('modprobe', name) && has())
  }

  /** A tree of source files and its archive, once. */
  tree() {
    if (this.made !== undefined) return this.made
    const dir = join(this.folder, 'tree-source')
    mkdirSync(dir)
    // Files that every machine with this checkout has: C headers and the packages of this project.
    for (const [i, from] of [
      '/usr/include',
      join(this.top, 'node_modules/typescript'),
      join(this.top, 'src'),
    ].entries())
      if (existsSync(from)) cpSync(from, join(dir, 'tree', String(i)), { recursive: true, dereference: false })
    const tar = join(this.folder, 'tree.tar')
    must('tar', '-cf', tar, '-C', dir, 'tree')
    rmSync(dir, { recursive: true })
    this.made = { tar }
    return this.made
  }

  close() {
    if (this.#before !== undefined) writeFileSync(SWITCH, this.#before)
    rmSync(this.folder, { recursive: true, force: true })
  }
}
