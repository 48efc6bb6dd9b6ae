import { spawnSync } from 'node:child_process'
import { existsSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { PACKAGE_TOP, PACKAGE_VERSION } from '../src/base/package.ts'
import { readSource } from './support/sources.ts'

const { bin } = JSON.parse(readSource('package.json')) as { bin: Record<string, string> }

t.test('every executable says its name and version, also through a symlink', async t => {
  const folder = t.testdir()
  for (const [tool, path] of Object.entries(bin)) {
    const link = join(folder, tool)
    symlinkSync(join(PACKAGE_TOP, path), link)
    const ran = spawnSync(link, ['--version'], { encoding: 'utf8' })
    t.equal(ran.stdout, `${tool}, part of hn4 ${PACKAGE_VERSION} (format 1, native addon: yes)\n`)
    t.equal(ran.status, 0)
  }
})

t.test('every executable refuses an unknown option with one line', async t => {
  for (const [tool, path] of Object.entries(bin)) {
    const ran = spawnSync(process.execPath, [join(PACKAGE_TOP, path), '--nonsense'], { encoding: 'utf8' })
    t.equal(ran.stderr, `${tool}: unknown option '--nonsense'; see ${tool} --help\n`)
    t.equal(ran.status, tool === 'mount.hn4' ? 1 : 16)
  }
})

t.test('a reader that has seen enough is no error', async t => {
  const script = `"$0" "$1" doctor --json | true; exit "\${PIPESTATUS[0]}"`
  const hn4 = join(PACKAGE_TOP, bin.hn4 ?? '')
  const ran = spawnSync('bash', ['-c', script, process.execPath, hn4], { encoding: 'utf8' })
  t.ok(ran.status === 0 || ran.status === 1, 'the exit code of doctor')
  t.equal(ran.stderr, '')
})

t.test('an output that cannot be written is one line and the exit code of the table', async t => {
  if (!existsSync('/dev/full')) return t.comment('no /dev/full here')
  const image = join(t.testdir(), 'disk.img')
  const hn4 = join(PACKAGE_TOP, bin.hn4 ?? '')
  for (const [exit, words] of [
    [1, ['mkfs', image, '16M']],
    [8, ['ls', '-l', image]],
    [8, ['scrub', image]],
  ] as const) {
    const script = 'exec "$@" > /dev/full'
    const ran = spawnSync('sh', ['-c', script, 'sh', process.execPath, hn4, ...words], { encoding: 'utf8' })
    t.equal(ran.status, exit, words[0])
    const last = ran.stderr.trim().split('\n').at(-1)
    t.equal(last, `hn4 ${words[0]}: no space left on device: standard output`)
  }
})

t.test('a check whose reader goes away still says by its exit code what it found', async t => {
  const image = join(t.testdir(), 'disk.img')
  const hn4 = join(PACKAGE_TOP, bin.hn4 ?? '')
  // The first block is the first superblock: its loss is damage, the others serve.
  const script = `
"$0" "$1" mkfs -q "$2" 16M && dd if=/dev/zero of="$2" bs=4096 count=1 conv=notrunc status=none
"$0" "$1" scrub "$2" 2> /dev/null | true
exit "\${PIPESTATUS[0]}"`
  const ran = spawnSync('bash', ['-c', script, process.execPath, hn4, image], { encoding: 'utf8' })
  t.equal(ran.status, 4, ran.stderr)
})

t.test('without its addon hn4 says so in one line and goes on', async t => {
  const env = { ...process.env, HN4_ADDON: join(t.testdir(), 'absent.node') }
  const hn4 = join(PACKAGE_TOP, bin.hn4 ?? '')
  const version = spawnSync(process.execPath, [hn4, '--version'], { encoding: 'utf8', env })
  t.match(version.stdout, /native addon: no\)$/m)
  const doctor = spawnSync(process.execPath, [hn4, 'doctor'], { encoding: 'utf8', env })
  t.equal(doctor.status, 1)
  t.match(doctor.stdout, /LACK {2}native addon[^\n]*\n {6}npm run build\n/)
  t.equal(doctor.stderr, '')
})
