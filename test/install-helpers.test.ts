import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { HN4 } from '../cli/commands.ts'
import { runCommand } from './support/cli.ts'

const NAMES = ['mount.hn4', 'mount.fuse.hn4', 'mkfs.hn4', 'fsck.hn4']
const install = (...words: string[]) => runCommand('hn4', HN4, ['install-helpers', ...words])

t.test('helpers are written, call the package, and go again', async t => {
  const folder = t.testdir({})
  const ran = await install('--prefix', folder)
  t.strictSame(ran, { exit: 0, stdout: NAMES.map(name => `wrote ${join(folder, name)}\n`).join(''), stderr: '' })
  for (const name of NAMES) {
    const { NODE_OPTIONS: _, ...env } = process.env
    const said = spawnSync(join(folder, name), ['--version'], { encoding: 'utf8', env: { ...env, PATH: '' } })
    t.match(said.stdout, new RegExp(`^${name.replace('fuse.', '')}, part of hn4 `), said.stderr)
  }
  t.equal((await install('--prefix', folder)).exit, 0, 'a second time over the first')
  t.equal((await install('--prefix', folder, '--remove', '-q')).exit, 0)
  t.throws(() => readFileSync(join(folder, NAMES[0] ?? '')), { code: 'ENOENT' })
  t.strictSame(await install('--prefix', folder, '--remove'), { exit: 0, stdout: '', stderr: '' })
})

t.test("another's file is left alone, and then nothing is written at all", async t => {
  const folder = t.testdir({ 'fsck.hn4': '#!/bin/sh\nexit 0\n' })
  for (const words of [[], ['--remove']]) {
    const ran = await install('--prefix', folder, ...words)
    t.equal(ran.exit, 1)
    t.match(ran.stderr, /^hn4 install-helpers: not written by hn4 install-helpers: [^\n]*fsck\.hn4; remove it first\n$/)
    t.throws(() => readFileSync(join(folder, 'mount.hn4')), { code: 'ENOENT' })
  }
  t.match(await install('--prefix', join(folder, 'none')), { exit: 1, stderr: /no such file or directory/ })
  writeFileSync(join(folder, 'file'), '')
  t.match(await install('--prefix', join(folder, 'file')), { exit: 1, stderr: /^[^\n]+\n$/ })
})
