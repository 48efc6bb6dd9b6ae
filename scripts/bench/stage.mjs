// Where a run takes place: a folder on the disk, the programs, the switch of FUSE over io_uring, the tree of files.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { buildMemfs, buildPrograms } from './programs.mjs'
import { must, quiet } from './shell.mjs'

const SWITCH = '/sys/module/fuse/parameters/enable_uring'

/** Paths of the files below a folder, in one order everywhere. */
const regularFiles = folder =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(folder, join(entry.parentPath, entry.name)))
    .sort()

export class Stage {
  #before
  #memfs
  /**
   * `top`: the built checkout; `parent`: a folder on the disk to be measured; `bytes`: of each image; `files`: of
   * the tree, at most; `isCosts`: costs are what is asked for, not time.
   */
  constructor({ top, parent, bytes, files, isCosts = false }) {
    this.top = top
    this.bytes = bytes
    this.files = files
    this.isCosts = isCosts
    this.folder = mkdtempSync(join(parent, 'hn4-bench-'))
    const { work, memfuse } = buildPrograms(join(this.folder, 'programs'))
    this.work = work
    this.memfuse = memfuse
    if (existsSync(SWITCH)) {
      this.#before = readFileSync(SWITCH, 'utf8').trim()
      writeFileSync(SWITCH, 'Y')
    }
  }

  /** The program that serves MemVfs, built when it is first asked for. */
  memfs() {
    this.#memfs ??= buildMemfs(this.top)
    return this.#memfs
  }

  uringMissing() {
    return this.#before === undefined ? 'the kernel has no FUSE over io_uring (Linux 6.14)' : null
  }

  /** Switches it on again where somebody else, who switches it too, has put it back meanwhile. */
  keepUring() {
    if (readFileSync(SWITCH, 'utf8').trim() !== 'Y') writeFileSync(SWITCH, 'Y')
  }

  /** Bytes that the disk has left. */
  freeBytes() {
    const { bavail, bsize } = statfsSync(this.folder)
    return bavail * bsize
  }

  /** Whether the kernel has a filesystem, built in or as a module. */
  knows(name) {
    const has = () =>
      readFileSync('/proc/filesystems', 'utf8')
        .split('\n')
        .some(line => line.endsWith(`\t${name}`))
    return has() || (quiet('modprobe', name) && has())
  }

  /** The archive of a tree of source files, made once: { tar, files, word, lines }, `lines` having `word`. */
  tree() {
    if (this.made !== undefined) return this.made
    const dir = join(this.folder, 'tree-source')
    mkdirSync(dir)
    // Files that every machine with this checkout has: C headers, and packages of this project.
    const folders = ['/usr/include', join(this.top, 'node_modules/typescript'), join(this.top, 'native/core/src')]
    const all = folders.filter(existsSync).flatMap((from, i) => regularFiles(from).map(name => [from, i, name]))
    const step = Math.max(1, Math.ceil(all.length / this.files))
    const chosen = all.filter((_, i) => i % step === 0)
    for (const [from, i, name] of chosen) {
      const to = join(dir, 'tree', String(i), name)
      mkdirSync(dirname(to), { recursive: true })
      copyFileSync(join(from, name), to)
    }
    const tar = join(this.folder, 'tree.tar')
    must('tar', '-cf', tar, '-C', dir, 'tree')
    const word = 'define'
    const counts = must('grep', '-rch', word, dir).split('\n')
    rmSync(dir, { recursive: true })
    this.made = { tar, files: chosen.length, word, lines: counts.reduce((sum, line) => sum + Number(line), 0) }
    return this.made
  }

  close() {
    if (this.#before !== undefined) writeFileSync(SWITCH, this.#before)
    rmSync(this.folder, { recursive: true, force: true })
  }
}
