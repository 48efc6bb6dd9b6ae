// The benchmark's own programs in C: the client (work) and the daemon that does no work (limit).
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { filesBelow } from '../bootstrap/stamps.mjs'

const here = dirname(fileURLToPath(import.meta.url))

/** Compiles the C files of a folder of this one into `to`. */
function compile(folder, to) {
  const files = filesBelow(join(here, folder), ['.c'])
  const done = spawnSync('cc', ['-O3', '-Wall', '-Wextra', '-pthread', '-o', to, ...files], { encoding: 'utf8' })
  if (done.error !== undefined) throw new Error(`cc: ${done.error.message}`)
  if (done.status !== 0) throw new Error(`${folder}: ${done.stderr.trim()}`)
  return to
}

/** Paths of both programs, built into `folder`. */
export function buildPrograms(folder) {
  mkdirSync(folder, { recursive: true })
  return { work: compile('work', join(folder, 'work')), memfuse: compile('limit', join(folder, 'memfuse')) }
}
