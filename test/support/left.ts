/** What the reader finds in a damaged volume, in the words of native/core/examples/populate/left.rs. */
import { orNull } from '../../src/base/error.ts'
import { crc32c } from '../../src/format/crc32c.ts'
import type { DirEntry } from '../../src/format/directory.ts'
import type { Located } from '../../src/reader/cortex.ts'
import type { Volume } from '../../src/reader/volume.ts'
import { escapeBytes, type Left } from './engine.ts'

/** Sparse files that are larger are not read. */
const SIZE_MAX = 16 << 20
const BLOCK = 4096

export function leftByReader(volume: Volume): Left {
  const lines: Record<string, unknown>[] = []
  const open = [{ file: volume.root(), path: '' }]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { file: directory, path: above } = next
    const [names, isWhole] = namesOf(volume, directory)
    lines.push({ path: `${above}/`, listed: isWhole })
    for (const entry of names) {
      const path = `${above}/${escapeBytes(entry.name)}`
      const file = orNull(() => volume.fileOfEntry(directory.slot.number, entry))
      lines.push(file === null ? { path, file: false } : { path, file: true, ...contentOf(volume, file) })
      if (file?.slot.type === 'directory') open.push({ file, path })
    }
  }
  return lines.sort((a, b) => (String(a.path) < String(b.path) ? -1 : 1))
}

function namesOf(volume: Volume, directory: Located): [DirEntry[], boolean] {
  const names: DirEntry[] = []
  let isWhole = true
  const read = orNull(() => {
    for (const entry of volume.readDirectory(directory, () => {
      isWhole = false
    }))
      names.push(entry)
    return true
  })
  return [names, isWhole && read !== null]
}

function contentOf(volume: Volume, file: Located): Record<string, unknown> {
  const { slot } = file
  const size = Number(slot.anchor.mass)
  if (slot.type === 'symlink') {
    const target = orNull(() => volume.readlink(file))
    return { target: target === null ? null : escapeBytes(target) }
  }
  if (slot.type !== 'regular' || size > SIZE_MAX) return {}
  let [bytes, lost, sum] = [0, 0, 0]
  const content = orNull(() => volume.content(file))
  for (let index = 0; index * BLOCK < size; index++) {
    const block = orNull(() => content?.block(index).slice() ?? null)
    if (block === null) lost++
    else {
      const count = Math.min(BLOCK, size - index * BLOCK)
      bytes += count
      block.fill(0, count)
      sum = block.every(byte => byte === 0) ? sum : sumOf(block, index, sum)
    }
  }
  return { bytes, lost, sum }
}

function sumOf(block: Uint8Array, index: number, sum: number): number {
  const at = Buffer.alloc(8)
  at.writeBigUInt64LE(BigInt(index))
  return crc32c(block, crc32c(at, sum))
}
