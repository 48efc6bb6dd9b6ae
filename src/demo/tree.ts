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

/** Takes folders in their order while they fit. */
function take(
  tree: { sources: string[]; files: number; bytes: number },
  folders: readonly string[],
  filesMax: number,
): void {
  for (const path of folders) {
    if (tree.files >= FILES_MIN || tree.sources.includes(path)) continue
    const { files, bytes } = measure(path)
    if (tree.bytes + bytes > BYTES_MAX || tree.files + files > filesMax) continue
    tree.sources.push(path)
    tree.files += files
    tree.bytes += bytes
  }
}

/** Node's headers, where they are installed, then packages of node_modules until there are enough. */
export function chooseTree(): Tree {
  const headers = join(dirname(dirname(realpathSync(process.execPath))), 'include/node')
  const packages = readdirSync(join(PACKAGE_TOP, 'node_modules'))
    .filter(name => !name.startsWith('.'))
    .sort()
    .map(name => join(PACKAGE_TOP, 'node_modules', name))
  const folders = [...(existsSync(headers) ? [headers] : []), ...packages]
  const tree = { sources: [], files: 0, bytes: 0 }
  take(tree, folders, FILES_MIN * 1.2)
  take(tree, folders, Infinity)
  return tree
}
