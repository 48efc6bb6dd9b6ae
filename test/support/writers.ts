/**
 * Writers for tests that kill the daemon: each works in a directory of its own, one step at a time, and
 * knows what must be there after a kill at any moment, and what may be.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'

/** Numbers below 1 from a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

export interface Writer {
  /** One operation. Throws when the mount is gone. */
  step(): void
  /** What is wrong, one line each; what is found is where the next step begins. */
  check(): string[]
}

const SIZES = [20, 3000, 5000, 20_000, 150_000]

/** Content `n` of a name, which it begins with. */
function contentOf(name: string, n: number): Buffer {
  return Buffer.alloc(SIZES[n % SIZES.length]! + (n % 97), `${name}:${n};`)
}

export function fsync(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** New files, each synced; old ones removed, the directory synced. */
export class SyncedFiles implements Writer {
  /** By name: true if it must be there, whole; false if a call on it did not return. */
  readonly #files = new Map<string, boolean>()
  #next = 0
  readonly #dir: string

  constructor(dir: string) {
    this.#dir = dir
  }

  step(): void {
    const [first] = this.#files.keys()
    const unsure = [...this.#files].find(([, isSure]) => !isSure)?.[0]
    const leaving = unsure ?? (this.#files.size > 40 ? first : undefined)
    if (leaving !== undefined) {
      this.#files.set(leaving, false)
      rmSync(join(this.#dir, leaving), { force: true })
      fsync(this.#dir)
      this.#files.delete(leaving)
      return
    }
    const name = `f-${this.#next}`
    this.#files.set(name, false)
    writeFileSync(join(this.#dir, name), contentOf(name, this.#next++), { flush: true })
    this.#files.set(name, true)
  }

  check(): string[] {
    const found = new Set(readdirSync(this.#dir))
    const unknown = [...found].filter(name => !this.#files.has(name)).map(name => `${name}: was removed, and synced`)
    const wrong = [...this.#files].flatMap(([name, isSure]) => {
      if (!isSure) return []
      if (!found.has(name)) return [`${name}: is missing, and was synced`]
      const isWhole = readFileSync(join(this.#dir, name)).equals(contentOf(name, Number(name.slice(2))))
      return isWhole ? [] : [`${name}: not the bytes that were synced`]
    })
    return [...unknown, ...wrong]
  }
}

/** Files written beside and renamed into place, now and then synced. */
export class Renames implements Writer {
  readonly #saved = [0, 1, 2].map(i => ({ name: `saved-${i}`, synced: -1, begun: -1 }))
  #next = 0
  readonly #dir: string
  readonly #random: () => number

  constructor(dir: string, random: () => number) {
    this.#dir = dir
    this.#random = random
  }

  step(): void {
    const saved = this.#saved[Math.floor(this.#random() * this.#saved.length)]!
    const [path, beside] = [join(this.#dir, saved.name), join(this.#dir, `${saved.name}.new`)]
    const n = this.#next++
    const [syncsFirst, syncsAfter] = [this.#random() < 0.3, this.#random() < 0.3]
    writeFileSync(beside, contentOf(saved.name, n), { flush: syncsFirst })
    saved.begun = n
    renameSync(beside, path)
    if (!syncsAfter) return
    fsync(path)
    saved.synced = n
  }

  check(): string[] {
    return this.#saved.flatMap(saved => {
      const path = join(this.#dir, saved.name)
      const bytes = existsSync(path) ? readFileSync(path) : undefined
      const n = bytes === undefined ? -1 : Number(/^saved-\d:(\d+);/.exec(bytes.toString('latin1', 0, 40))?.[1] ?? -2)
      const { synced, begun } = saved
      saved.synced = saved.begun = n
      const allowed = `not one of ${synced} to ${begun}`
      if (bytes?.length === 0) return [`${saved.name}: is empty, ${allowed}`]
      if (n < synced || n > begun) return [`${saved.name}: is version ${n}, ${allowed}`]
      return n < 0 || bytes?.equals(contentOf(saved.name, n)) ? [] : [`${saved.name}: version ${n} is not whole`]
    })
  }
}

/** A log that grows, now and then synced; a new one when it is long. */
export class Appends implements Writer {
  #log = 0
  #parts: Buffer[] = []
  #length = 0
  #synced = 0
  /** The log is made, and its name synced. */
  #isMade = false
  #next = 0
  readonly #dir: string
  readonly #random: () => number

  constructor(dir: string, random: () => number) {
    this.#dir = dir
    this.#random = random
  }

  get #path(): string {
    return join(this.#dir, `log-${this.#log}`)
  }

  step(): void {
    if (this.#length > 3_000_000) {
      rmSync(this.#path)
      this.#log++
      this.#parts = []
      this.#length = this.#synced = 0
      this.#isMade = false
    }
    const fd = openSync(this.#path, 'a')
    try {
      const line = Buffer.alloc(1 + Math.floor(this.#random() ** 4 * 60_000), `${this.#next++},`)
      this.#parts.push(line)
      this.#length += line.length
      writeSync(fd, line)
      if (this.#random() > 0.25) return
      fsyncSync(fd)
      this.#synced = this.#length
      this.#isMade = true
    } finally {
      closeSync(fd)
    }
  }

  check(): string[] {
    const expected = Buffer.concat(this.#parts)
    const found = existsSync(this.#path) ? readFileSync(this.#path) : undefined
    const [synced, begun] = [this.#synced, this.#length]
    const kept = found ?? Buffer.alloc(0)
    this.#parts = [kept]
    this.#length = this.#synced = kept.length
    if (found === undefined) return this.#isMade ? [`log-${this.#log}: is missing, and was synced`] : []
    if (kept.length < synced) return [`log-${this.#log}: has ${kept.length} bytes, ${synced} were synced`]
    if (kept.length > begun) return [`log-${this.#log}: has ${kept.length} bytes, ${begun} were written`]
    return expected.subarray(0, kept.length).equals(kept) ? [] : [`log-${this.#log}: other bytes than were written`]
  }
}

/** Directories, empty files and links made, renamed and removed; the names are those after one step. */
export class Names implements Writer {
  /** Names after each step that may be what is found, the first is synced. */
  #states: Array<ReadonlyMap<string, string>> = [new Map()]
  #next = 0
  readonly #dir: string
  readonly #random: () => number

  constructor(dir: string, random: () => number) {
    this.#dir = dir
    this.#random = random
  }

  step(): void {
    const names = new Map(this.#states.at(-1))
    const known = [...names.keys()]
    const old = known[Math.floor(this.#random() * known.length)]
    const chosen = this.#random()
    const name = `n-${this.#next++}`
    const path = join(this.#dir, name)
    if (old !== undefined && (chosen < 0.25 || known.length > 60)) {
      const kind = names.get(old)
      names.delete(old)
      this.#states.push(names)
      ;(kind === 'directory' ? rmdirSync : unlinkSync)(join(this.#dir, old))
    } else if (old !== undefined && chosen < 0.5) {
      names.set(name, names.get(old)!)
      names.delete(old)
      this.#states.push(names)
      renameSync(join(this.#dir, old), path)
    } else {
      const kind = ['directory', 'file', 'link'][Math.floor(this.#random() * 3)]!
      names.set(name, kind)
      this.#states.push(names)
      if (kind === 'directory') mkdirSync(path)
      else if (kind === 'link') symlinkSync('nowhere', path)
      else closeSync(openSync(path, 'wx'))
    }
    if (this.#random() > 0.1) return
    fsync(this.#dir)
    this.#states = [names]
  }

  check(): string[] {
    const found = new Map(
      readdirSync(this.#dir).map(name => {
        const stat = lstatSync(join(this.#dir, name))
        return [name, stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'link' : 'file'] as const
      }),
    )
    const isSame = (names: ReadonlyMap<string, string>) =>
      names.size === found.size && [...names].every(([name, kind]) => found.get(name) === kind)
    const isOne = this.#states.some(isSame)
    const count = this.#states.length
    this.#states = [found]
    return isOne ? [] : [`the ${found.size} names are not those after one of the last ${count} steps`]
  }
}
