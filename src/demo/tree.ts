/** The tree that the demo copies: real files that every machine with Node has. */
import { existsSync, lstatSync, readdirSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { PACKAGE_TOP } from '../base/package.ts'

const FILES_MIN = 5000
/** No more than these bytes, so that the demo stays short. */
const BYTES_MAX = 64 << 20

export interface Tree {
  /** Files or folders to copy, each under its own name. */
  readonly sources: readonly string[]
  readonly files: number
  readonly bytes: number
}

function measure(path: string): { files: number; bytes: number } {
  const stat = lstatSync(path)
  if (!stat.isDirectory()) return { files: 1, bytes: stat.size }
  const all = { files: 0, bytes: 0 }
  for (const name of readdirSync(path)) {
    const { files, bytes } = measure(join(path, name))
    all.files += files
    all.bytes += bytes
  }
  return all
}

/** Node's headers, where they are installed, then packages of node_modules until there are enough. */
export function chooseTree(): Tree {
  const headers = join(dirname(dirname(realpathSync(process.execPath))), 'include/node')
  const packages = readdirSync(join(PACKAGE_TOP, 'node_modules'))
    .filter(name => !name.startsWith('.'))
    .sort()
    .map(name => join(PACKAGE_TOP, 'node_modules', name))
  const sources: string[] = []
  const all = { files: 0, bytes: 0 }
  for (const path of [...(existsSync(headers) ? [headers] : []), ...packages]) {
    const { files, bytes } = measure(path)
    if (all.bytes + bytes > BYTES_MAX) continue
    sources.push(path)
    all.files += files
    all.bytes += bytes
    if (all.files > FILES_MIN * 1.05) break
  }
  return { sources, ...all }
}
