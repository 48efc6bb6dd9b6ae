// Stamps: a step is skipped while the SHA-256 of its inputs equals the one noted after its last success.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const SKIPPED_FOLDERS = new Set(['target', 'node_modules', 'dist'])

/** All files below `path` (or the file itself) whose name ends as wanted, sorted; none if absent. */
export function filesBelow(path, endings) {
  let entries
  try {
    entries = readdirSync(path, { withFileTypes: true })
  } catch (error) {
    if (error.code === 'ENOTDIR') return [path]
    if (error.code === 'ENOENT') return []
    throw error
  }
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(entry => {
      const child = join(path, entry.name)
      if (entry.isDirectory()) return SKIPPED_FOLDERS.has(entry.name) ? [] : filesBelow(child, endings)
      return endings.some(ending => entry.name.endsWith(ending)) ? [child] : []
    })
}

/** SHA-256 over names and contents of files, and over `facts`. */
export function hashOf(files, facts = []) {
  const hash = createHash('sha256')
  for (const fact of facts) hash.update(`${fact}\0`)
  for (const file of files) {
    const content = readFileSync(file)
    hash.update(`${file}\0${content.length}\0`)
    hash.update(content)
  }
  return hash.digest('hex')
}

const stampPath = (top, name) => join(top, 'node_modules', `.hn4-${name}`)

export function isFresh(top, name, hash) {
  try {
    return readFileSync(stampPath(top, name), 'utf8') === hash
  } catch {
    return false
  }
}

export function writeStamp(top, name, hash) {
  mkdirSync(join(top, 'node_modules'), { recursive: true })
  writeFileSync(stampPath(top, name), hash)
}

/** Taken away before a step starts, so that an interrupted step runs again. */
export function dropStamp(top, name) {
  rmSync(stampPath(top, name), { force: true })
}
