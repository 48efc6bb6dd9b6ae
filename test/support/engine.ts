/**
 * Programs of the engine for tests: native/core/examples/populate for those that have an image, and the
 * durability proof, native/core/tests/crash. Built at the first use (`cargo test` has built them before).
 */
import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { PACKAGE_TOP } from '../../src/base/package.ts'
import { crc32c } from '../../src/format/crc32c.ts'
import type { Located } from '../../src/reader/cortex.ts'
import type { Volume } from '../../src/reader/volume.ts'

/** A file as the manifest says it. Names and targets: bytes that are not printable are %XX. */
export interface ManifestEntry {
  readonly path: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly rdev: number
  readonly nlink: number
  readonly size: string
  /** Nanoseconds. */
  readonly mtime: string
  /** CRC32C over index and bytes of each block that is not zero. */
  readonly content: number
  readonly target: string | null
  /** Name, length, CRC32C of the value. */
  readonly xattrs: readonly (readonly [string, number, number])[]
}

/** Milliseconds that a test which may have to build the engine first takes at most. */
export const BUILD_MS = 600_000

const NATIVE = join(PACKAGE_TOP, 'native')

/** The words make what `cargo test --workspace` makes: after that nothing is left to build. */
const BUILD = ['build', '--quiet', '--workspace', '--profile', 'test', '--example', 'populate']
const BUILD_PROOF = ['test', '--workspace', '--no-run', '--message-format=json', '--test', 'crash']

function run(program: string, words: readonly string[]): string {
  const ran = spawnSync(program, words, { cwd: NATIVE, encoding: 'utf8', maxBuffer: 64 << 20 })
  if (ran.error !== undefined) throw ran.error
  if (ran.status !== 0) throw new Error(`${program} ${words.join(' ')}: ${ran.stderr.slice(0, 2000)}`)
  return ran.stdout
}

let isBuilt = false

/** The program populate, built. */
function populateProgram(): string {
  if (!isBuilt) run('cargo', BUILD)
  isBuilt = true
  const target = process.env.CARGO_TARGET_DIR ?? 'target'
  return join(resolve(NATIVE, target), 'debug/examples/populate')
}

/** Runs populate with these words and gives back its manifest. */
export function populate(...words: readonly string[]): ManifestEntry[] {
  return JSON.parse(run(populateProgram(), words)) as ManifestEntry[]
}

/** What is left of a damaged volume, as one implementation finds it (examples/populate/left.rs); a text: nothing. */
export type Left = readonly Readonly<Record<string, unknown>>[] | string

/** As the engine finds it, of each image. */
export function leftByEngine(...images: readonly string[]): Left[] {
  return JSON.parse(run(populateProgram(), [...images, '--left'])) as Left[]
}

/** Word that tells populate to use the test codec (xor-codec.ts); the image must have descriptors of its size. */
export const WITH_XOR = '--xor'

/** Whether the engine's programs know the test codec: populate without words says how it is used. */
export function engineHasCodec(): boolean {
  return spawnSync(populateProgram(), { encoding: 'utf8' }).stderr.includes(WITH_XOR)
}

/** The test program of the durability proof; cargo names it after a hash. */
export function crashProof(): string {
  const executables = run('cargo', BUILD_PROOF)
    .split('\n')
    .filter(line => line.startsWith('{'))
    .flatMap(line => (JSON.parse(line) as { executable?: string | null }).executable ?? [])
  const program = executables.at(-1)
  if (program === undefined) throw new Error(`cargo ${BUILD_PROOF.join(' ')} named no program`)
  return program
}

/** Bytes as the manifest shows them. */
export function escapeBytes(bytes: Uint8Array): string {
  const shown = (byte: number): string =>
    byte >= 0x20 && byte <= 0x7e && byte !== 0x25 ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0')}`
  return Array.from(bytes, shown).join('')
}

function contentSum(volume: Volume, file: Located): number {
  const content = volume.content(file)
  const runs = content.presence?.runs() ?? [{ start: 0, end: file.slot.contentBlocks }]
  const index = Buffer.alloc(8)
  let sum = 0
  for (const run of runs) {
    for (let i = run.start; i < run.end; i++) {
      const bytes = content.block(i).slice()
      // What stands behind the end of a file means nothing.
      const left = file.slot.anchor.mass - BigInt(i) * 4096n
      if (left < 4096n) bytes.fill(0, left > 0n ? Number(left) : 0)
      if (bytes.every(byte => byte === 0)) continue
      index.writeBigUInt64LE(BigInt(i))
      sum = crc32c(bytes, crc32c(index, sum))
    }
  }
  return sum
}

/** The same list as the reader finds it, in the manifest's order. @throws at the first damage */
export function manifestOf(volume: Volume): ManifestEntry[] {
  const entries: ManifestEntry[] = []
  const open = [{ file: volume.root(), path: '' }]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const entry of volume.readDirectory(next.file)) {
      const file = volume.fileOfEntry(next.file.slot.number, entry)
      const path = `${next.path}/${escapeBytes(entry.name)}`
      if (file.slot.type === 'directory') open.push({ file, path })
      entries.push(entryOf(volume, file, path))
    }
  }
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** A file under a path that is shown for it. */
export function entryOf(volume: Volume, file: Located, path: string): ManifestEntry {
  const { slot } = file
  const { anchor, attributes } = slot
  const xattrs = volume.xattrs(file).map(({ name, value }) => [escapeBytes(name), value.length, crc32c(value)] as const)
  return {
    path,
    mode: anchor.permissions & 0xffff,
    uid: attributes.uid,
    gid: attributes.gid,
    rdev: attributes.rdev,
    nlink: attributes.nlink,
    size: slot.type === 'directory' ? '0' : anchor.mass.toString(),
    mtime: anchor.mod_clock.toString(),
    content: slot.type === 'regular' ? contentSum(volume, file) : 0,
    target: slot.type === 'symlink' ? escapeBytes(volume.readlink(file)) : null,
    xattrs: xattrs.toSorted(([a], [b]) => (a < b ? -1 : 1)),
  }
}

/** The first file that two lists do not show alike, as text; null if there is none. */
export function differenceOf(found: readonly ManifestEntry[], expected: readonly ManifestEntry[]): string | null {
  // serde_json sorts the keys.
  const text = (entry: ManifestEntry | undefined): string =>
    JSON.stringify(Object.fromEntries(Object.entries(entry ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))))
  const count = Math.max(found.length, expected.length)
  for (let i = 0; i < count; i++) {
    if (text(found[i]) !== text(expected[i])) return `${text(found[i])} instead of ${text(expected[i])}`
  }
  return null
}
