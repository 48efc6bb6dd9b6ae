/** Compares two trees: names, types, modes, owners, times of change in nanoseconds, extended attributes, link targets, bytes. */
import type { Facts, View } from './views.ts'

export interface Comparison {
  files: number
  folders: number
  links: number
  bytes: number
  /** One line each; empty when the trees are equal. */
  readonly differences: string[]
  /** Files that could not be read, by path. */
  readonly unreadable: string[]
}

export const newComparison = (): Comparison => ({
  files: 0,
  folders: 0,
  links: 0,
  bytes: 0,
  differences: [],
  unreadable: [],
})

const FACTS = ['mode', 'owner', 'changedNs', 'xattrs'] as const satisfies ReadonlyArray<keyof Facts>

const octal = (value: number | bigint | string) => (typeof value === 'number' ? `0${value.toString(8)}` : String(value))

function compareContent<A, B>(all: Comparison, path: string, a: readonly [View<A>, A], b: readonly [View<B>, B]): void {
  let copy: Uint8Array
  try {
    copy = b[0].bytes(b[1])
  } catch {
    return void all.unreadable.push(path)
  }
  const original = a[0].bytes(a[1])
  all.bytes += original.length
  if (Buffer.compare(original, copy) !== 0) all.differences.push(`${path}: other bytes`)
}

/** Adds to `all` what differs between a file or folder and its copy. `path` names them in messages. */
export function compare<A, B>(all: Comparison, path: string, a: readonly [View<A>, A], b: readonly [View<B>, B]): void {
  const [original, copy] = [a[0].facts(a[1]), b[0].facts(b[1])]
  for (const name of FACTS) {
    if (original[name] !== copy[name]) {
      all.differences.push(`${path}: ${name} is ${octal(copy[name])}, was ${octal(original[name])}`)
    }
  }
  if (original.kind !== copy.kind) return
  if (original.kind === 'file') {
    all.files++
    compareContent(all, path, a, b)
  } else if (original.kind === 'link') {
    all.links++
    if (a[0].target(a[1]) !== b[0].target(b[1])) all.differences.push(`${path}: another target`)
  } else if (original.kind === 'folder') {
    all.folders++
    compareFolder(all, path, a, b)
  }
}

function compareFolder<A, B>(all: Comparison, path: string, a: readonly [View<A>, A], b: readonly [View<B>, B]): void {
  const copies = new Map(b[0].children(b[1]))
  for (const [name, node] of a[0].children(a[1])) {
    const copy = copies.get(name)
    copies.delete(name)
    if (copy === undefined) all.differences.push(`${path}/${name}: missing`)
    else compare(all, `${path}/${name}`, [a[0], node], [b[0], copy])
  }
  for (const name of copies.keys()) all.differences.push(`${path}/${name}: should not be there`)
}

/** What is wrong with a comparison of trees of so many files; undefined if nothing is. */
export function problemOf(all: Comparison, filesExpected: number): string | undefined {
  const unreadable = all.unreadable[0]
  if (unreadable !== undefined) return `${unreadable}: not readable`
  if (all.differences[0] !== undefined) return all.differences[0]
  // A comparison that looked at nothing would find nothing.
  const seen = all.files + all.links
  return seen === filesExpected ? undefined : `${seen} files were compared, ${filesExpected} were copied`
}
