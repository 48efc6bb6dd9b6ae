// The benchmark's own programs: in C the client (work) and the daemon that does no work (limit), in Rust MemVfs.
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { filesBelow } from '../bootstrap/stamps.mjs'
import { extendPath } from '../bootstrap/tools.mjs'

const here = dirname(fileURLToPath(import.meta.url))

/** Compiles the C files of a folder of this one into `to`. */
function compile(folder, to) {
  const files = filesBelow(join(here, folder), ['.c'])
  const done = spawnSync('cc', ['-O3', '-flto', '-Wall', '-Wextra', '-pthread', '-o', to, ...files], {
    encoding: 'utf8',
  })
  if (done.error !== undefined) throw new Error(`cc: ${done.error.message}`)
  if (done.status !== 0) throw new Error(`${folder}: ${done.stderr.trim()}`)
  return to
}

/** Paths of both programs in C, built into `folder`. */
export function buildPrograms(folder) {
  mkdirSync(folder, { recursive: true })
  return { work: compile('work', join(folder, 'work')), memfuse: compile('limit', join(folder, 'memfuse')) }
}

/** Path of the program that serves MemVfs by our own session (native/fuse/examples/memfs.rs), as optimised as the addon. */
export function buildMemfs(top) {
  extendPath()
  const args = ['build', '--quiet', '--release', '--package', 'hn4-fuse', '--example', 'memfs', '--message-format=json']
  const done = spawnSync('cargo', [...args, '--manifest-path', join(top, 'native/Cargo.toml')], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (done.error !== undefined) throw new Error(`cargo: ${done.error.message}`)
  if (done.status !== 0) throw new Error(`memfs did not build: ${done.stderr.trim().split('\n').at(-1)}`)
  // Where it went is for cargo to say: the environment may name another target folder.
  const made = done.stdout
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line))
    .find(line => line.reason === 'compiler-artifact' && line.target.name === 'memfs')
  return made.executable
}
