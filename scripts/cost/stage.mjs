// Where the costs are taken: two loop devices over files of a tmpfs, and two directories to mount them at.
// A loop device, because the kernel counts its requests exactly: the daemon's I/O is direct, nothing caches or
// merges it; a tmpfs, so that the disk of the machine takes no part.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { must, quiet } from '../bench/shell.mjs'

const VOLUME_BYTES = 1 << 30
/**
 * Largest request, in KiB: 128 pages, which is what a loop device takes in one piece however they lie in memory.
 * With its default, 1280, the number of requests of a large transfer depends on which pages happen to be neighbours.
 */
const REQUEST_KIB = 512

export class Stage {
  #folder = mkdtempSync(join(tmpdir(), 'hn4-cost-'))
  #host = join(this.#folder, 'host')
  #child = undefined
  #isStopped = false
  /** Files of /sys and what stood there before: a loop device keeps its limits for the next who takes it. */
  #settings = new Map()
  devices = []
  dirs = ['before', 'after'].map(name => join(this.#folder, name))

  /** Takes root. Throws what is missing; `close` is wanted then too. */
  open() {
    for (const dir of [this.#host, ...this.dirs]) mkdirSync(dir)
    must('mount', '-t', 'tmpfs', '-o', 'size=3g', 'hn4-cost', this.#host)
    for (const name of ['a.img', 'b.img']) {
      const image = join(this.#host, name)
      writeFileSync(image, '')
      truncateSync(image, VOLUME_BYTES)
      const device = must('losetup', '--find', '--show', image)
      this.devices.push(device)
      const setting = `/sys/block/${basename(device)}/queue/max_sectors_kb`
      this.#settings.set(setting, readFileSync(setting, 'utf8'))
      writeFileSync(setting, String(REQUEST_KIB))
    }
  }

  /** Runs a program in a process group of its own, and gives what it printed. */
  run(program, args) {
    return new Promise((resolve, reject) => {
      if (this.#isStopped) return reject(new Error('stopped'))
      // The terminal's Ctrl-C reaches us only, and we end the whole group.
      const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
      this.#child = child
      let text = ''
      child.stdout.setEncoding('utf8').on('data', part => {
        text += part
      })
      child.on('error', reject)
      child.on('close', (exit, signal) => {
        if (exit !== 0) return reject(new Error(`${program}: ${signal ?? `exit code ${exit}`}`))
        this.#child = undefined
        resolve(text)
      })
    })
  }

  get isStopped() {
    return this.#isStopped
  }

  /** Ends what runs, with its children: `run` fails from now on. */
  stop() {
    this.#isStopped = true
    if (this.#child?.pid === undefined) return
    try {
      process.kill(-this.#child.pid, 'SIGKILL')
    } catch (error) {
      if (error.code !== 'ESRCH') throw error
    }
  }

  /** Takes everything away again. What could not be taken away is returned. */
  close() {
    this.stop()
    const isMounted = path => readFileSync('/proc/mounts', 'utf8').includes(` ${path} `)
    // Lazily: what a killed daemon still holds goes with it.
    for (const dir of this.dirs) if (isMounted(dir)) quiet('umount', '-l', dir)
    for (const [setting, text] of this.#settings) writeFileSync(setting, text)
    const left = this.devices.filter(device => !quiet('losetup', '--detach', device))
    if (isMounted(this.#host)) quiet('umount', '-l', this.#host)
    for (const dir of this.dirs) rmSync(`${dir}.ready`, { force: true })
    for (const dir of [...this.dirs, this.#host, this.#folder]) {
      try {
        rmdirSync(dir)
      } catch (error) {
        if (error.code !== 'ENOENT') left.push(`${dir} (${error.message})`)
      }
    }
    return left
  }
}
