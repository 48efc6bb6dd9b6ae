/** Where the package lies and which version it is. */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readFileSync } from './host-files.ts'

function findTop(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  for (;;) {
    try {
      const text = readFileSync(join(folder, 'package.json'), 'utf8')
      if ((JSON.parse(text) as { name?: string }).name === 'hn4') return folder
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
    const parent = dirname(folder)
    if (parent === folder) throw new Error('package.json of hn4 not found above its own code')
    folder = parent
  }
}

/** Absolute path of the folder that holds package.json. Works from src/ and from dist/. */
export const PACKAGE_TOP = findTop()

const manifest = JSON.parse(readFileSync(join(PACKAGE_TOP, 'package.json'), 'utf8')) as { version: string }

/** Version of the package, as in package.json; the format has its own (FORMAT_VERSION). */
export const PACKAGE_VERSION = manifest.version
