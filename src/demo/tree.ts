/** The tree that the demo copies: real files that every machine with Node has. */
import { dirname, join } from 'node:path'
import { existsSync, lstatSync, readdirSync, realpathSync } from '../base/host-files.ts'
import { PACKAGE_TOP } from '../base/package.ts'

const FILES_MIN = 5000
/** No more than these bytes, so that the demo stays short. */
const BYTES_MAX = 128 << 20

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

interface Folder {
  readonly path: string
  readonly files: number
  readonly bytes: number
}

const folderAt = (path: string): Folder => ({ path, ...measure(path) })

/** Node's headers, where they are installed, then packages of node_modules, those of small files first. */
export function chooseTree(): Tree {
  const headers = join(dirname(dirname(realpathSync(process.execPath))), 'include/node')
  const modules = join(PACKAGE_TOP, 'node_modules')
  const packages = readdirSync(modules)
    .filter(name => !name.startsWith('.'))
    .map(name => folderAt(join(modules, name)))
    .sort((a, b) => a.bytes / a.files - b.bytes / b.files)
  const tree = { sources: [] as string[], files: 0, bytes: 0 }
  for (const { path, files, bytes } of [...(existsSync(headers) ? [folderAt(headers)] : []), ...packages]) {
    if (tree.files >= FILES_MIN) break
    if (tree.bytes + bytes > BYTES_MAX) continue
    tree.sources.push(path)
    tree.files += files
    tree.bytes += bytes
  }
  return tree
}
