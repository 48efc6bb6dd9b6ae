/** What mkfs overwrites without --force: nothing that somebody may have put there, and never what is in use. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  closeSync,
  copyFileSync,
  ftruncateSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { mkfs } from '../../mkfs/command.ts'
import { PACKAGE_TOP } from '../../src/base/package.ts'
import { addon } from '../../src/native/addon.ts'
import { isFailure } from '../../src/native/failure.ts'
import { type Ran, runCommand } from '../support/cli.ts'
import { eventually } from '../support/scratch.ts'

const run = (...words: string[]): Promise<Ran> => runCommand('mkfs.hn4', mkfs, words)
const sum = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')
const MIB = 1 << 20
const SIZE = 17 * MIB

/** A file of `bytes` that is a hole but for `pieces`. */
function sparse(path: string, bytes: number, pieces: readonly (readonly [number, Uint8Array])[]): string {
  const fd = openSync(path, 'wx')
  ftruncateSync(fd, bytes)
  for (const [at, piece] of pieces) writeSync(fd, piece, 0, piece.length, at)
  closeSync(fd)
  return path
}

t.test('a file that is not zero at both ends is refused, and what it seems to be is named', async t => {
  const folder = t.testdir({})
  const noise = Uint8Array.from({ length: 4096 }, (_, i) => (i * 151 + 7) & 0xff)
  const at = (name: string, offset: number, bytes: Uint8Array): string =>
    sparse(join(folder, name), SIZE, [[offset, bytes]])
  const elf = join(folder, 'elf')
  copyFileSync(process.execPath, elf)
  const cases: readonly (readonly [string, string])[] = [
    [at('text', 0, Buffer.from('Dear diary,\n')), 'contains text'],
    [at('latin', 0, Buffer.from('Liebes Tagebuch, sch\xf6n', 'latin1')), 'contains text'],
    [at('sqlite', 0, Buffer.from('SQLite format 3\0')), 'contains an SQLite database'],
    [elf, 'contains an ELF program'],
    [at('script', 0, Buffer.from('#!/bin/sh\n')), 'contains a script'],
    [at('first', 0, noise), 'contains data of an unknown kind'],
    [at('in-first-mib', MIB - 1, Uint8Array.of(1)), 'contains data of an unknown kind'],
    [at('in-last-mib', SIZE - MIB, Uint8Array.of(1)), 'contains data of an unknown kind at its end'],
    [at('last-byte', SIZE - 1, Uint8Array.of(1)), 'contains data of an unknown kind at its end'],
  ]
  for (const [path, words] of cases) {
    const before = sum(path)
    for (const more of [[], ['64M'], ['-n']]) {
      const ran = await run(...more.filter(word => word.startsWith('-')), path, ...more.filter(word => word === '64M'))
      t.equal(ran.exit, 1, path)
      t.equal(ran.stderr, `mkfs.hn4: ${words}: ${path}; to overwrite it, use --force\n`)
    }
    t.equal(sum(path), before, `${path} is as it was`)
  }
  // Smaller than two MiB: all of it is looked at.
  const small = join(folder, 'small')
  writeFileSync(small, 'a note')
  t.match(await run(small, '64M'), { exit: 1, stderr: /contains text/ })
  t.equal(readFileSync(small, 'utf8'), 'a note')
  t.equal((await run('-q', '-f', small, '64M')).exit, 0)
  t.match(await run(small), { exit: 1, stderr: /contains an hn4 volume/ })
})

t.test('an empty file, holes and zeros are free; what lies between the ends is not looked at', async t => {
  const folder = t.testdir({ empty: '' })
  t.equal((await run('-q', join(folder, 'empty'), '16M')).exit, 0)
  t.equal((await run('-q', sparse(join(folder, 'hole'), SIZE, []))).exit, 0)
  t.equal((await run('-q', sparse(join(folder, 'zeros'), SIZE, [[0, Buffer.alloc(SIZE)]]))).exit, 0)
  const between: readonly (readonly [number, Uint8Array])[] = [
    [MIB, Uint8Array.of(1)],
    [SIZE - MIB - 1, Uint8Array.of(1)],
  ]
  t.equal((await run('-q', sparse(join(folder, 'between'), SIZE, between))).exit, 0)
})

t.test('an image that somebody reads under its lock is not overwritten, whatever is forced', async t => {
  const image = join(t.testdir({}), 'disk.img')
  await run('-q', image, '16M')
  const before = sum(image)
  const fd = openSync(image, 'r')
  const lock = addon().lockImage(fd, image, false)
  if (isFailure(lock)) return t.fail(lock.text)
  const ran = await run('-f', image)
  t.equal(ran.exit, 1)
  t.match(ran.stderr, /in use/)
  t.equal(sum(image), before)
  lock.release()
  closeSync(fd)
  t.equal((await run('-q', '-f', image)).exit, 0)
})

for (const [kind, force] of [
  ['a new image', []],
  ['an image that was one', ['-f']],
] as const) {
  t.test(`mkfs holds the exclusive lock while it writes ${kind}`, async t => {
    const image = join(t.testdir({}), 'disk.img')
    if (force.length > 0) await run('-q', image, '16M')
    const child = spawn(
      process.execPath,
      [join(PACKAGE_TOP, 'dist/mkfs/cli.js'), '-q', '-K', ...force, image, '256G'],
      { stdio: 'ignore', env: { ...process.env, NODE_OPTIONS: '' } },
    )
    const ended = once(child, 'exit')
    const isLocked = (): boolean => {
      try {
        const place = `:${statSync(image).ino} `
        return readFileSync('/proc/locks', 'utf8')
          .split('\n')
          .some(line => /OFDLCK.*WRITE/.test(line) && line.includes(place))
      } catch {
        return false
      }
    }
    const seen = await eventually(() => isLocked() || child.exitCode !== null)
    t.ok(seen && child.exitCode === null, 'the lock was seen before mkfs ended')
    t.strictSame(await ended, [0, null])
    t.notOk(isLocked())
  })
}
