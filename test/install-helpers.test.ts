import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { HN4 } from '../cli/commands.ts'
import { othersCanWrite } from '../cli/others-can-write.ts'
import { PACKAGE_TOP } from '../src/base/package.ts'
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

const ROOT_ONLY = process.getuid?.() === 0 ? false : 'only root can give files away'
const NOBODY = 65_534

t.test('root installs no package that others can change', { skip: ROOT_ONLY }, async t => {
  const folder = t.testdir({ prefix: {} })
  const package_ = join(folder, 'package')
  mkdirSync(join(package_, 'native'), { recursive: true })
  for (const part of ['package.json', 'dist/cli', 'dist/src', 'dist/mkfs', 'dist/fsck-scrub'])
    cpSync(join(PACKAGE_TOP, part), join(package_, part), { recursive: true })
  symlinkSync(join(PACKAGE_TOP, 'node_modules'), join(package_, 'node_modules'))
  const { NODE_OPTIONS: _, ...env } = process.env
  const tryIt = (...words: string[]) => {
    const line = [join(package_, 'dist/cli/main.js'), 'install-helpers', '--prefix', join(folder, 'prefix'), ...words]
    return spawnSync(process.execPath, line, { encoding: 'utf8', env })
  }
  t.equal(tryIt().status, 0, "all of it is root's")
  const script = join(package_, 'dist/src/mount/cli.js')
  const others = [
    [script, () => chmodSync(script, 0o777), () => chmodSync(script, 0o755)],
    [package_, () => chmodSync(package_, 0o775), () => chmodSync(package_, 0o755)],
    [join(package_, 'native'), () => chownSync(join(package_, 'native'), NOBODY, 0), undefined],
  ] as const
  for (const [path, change, back] of others) {
    change()
    const ran = tryIt()
    t.equal(ran.status, 1)
    t.equal(
      ran.stderr,
      'hn4 install-helpers: others than root can change what mount(8) would run as root: ' +
        `${path}; copy the package where only root writes (cp -r ${package_} /opt/hn4) and install from there\n`,
    )
    back?.()
  }
  t.equal(tryIt('--remove').status, 0, 'to take them away is always allowed')
})

t.test('what others can write is found on the way, below, and behind links', { skip: ROOT_ONLY }, async t => {
  const folder = t.testdir({ top: { a: { file: '' } }, elsewhere: { target: '' }, shared: { ours: { file: '' } } })
  const path = (...names: string[]) => join(folder, ...names)
  t.equal(othersCanWrite([path('top')]), undefined)
  symlinkSync('../elsewhere/target', path('top/link'))
  t.equal(othersCanWrite([path('top')]), undefined)
  chmodSync(path('elsewhere'), 0o775)
  t.equal(othersCanWrite([path('top')]), path('elsewhere'))
  t.equal(othersCanWrite([path('top/link')]), path('elsewhere'))
  t.equal(othersCanWrite([path('top/a')]), undefined)
  chownSync(path('top/a/file'), NOBODY, NOBODY)
  t.equal(othersCanWrite([path('top/a')]), path('top/a/file'))
  t.equal(othersCanWrite([path('top')], [path('top/a')]), path('elsewhere'))
  chmodSync(path('shared'), 0o1777)
  t.equal(othersCanWrite([path('shared/ours')]), undefined, 'as in /tmp')
  t.equal(othersCanWrite([path('shared')]), path('shared'), 'others can add to it')
})
