import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { HN4 } from '../../cli/commands.ts'
import { makeVolume } from '../../mkfs/make.ts'
import { isAlive } from '../../src/mount/processes.ts'
import { runCommand } from '../support/cli.ts'
import { mountTest } from '../support/mount.ts'
import { eventually, hashOf, hn4, Scratch } from '../support/scratch.ts'

const run = (...words: string[]) => runCommand('hn4', HN4, words)

interface Info {
  readonly label: string
  readonly uuid: string
  readonly superblocks: { readonly matches: boolean; readonly generation: string }[]
}

async function infoOf(image: string): Promise<Info> {
  return JSON.parse((await run('info', '--json', image)).stdout)
}

const UUID = '0f8fad5b-d9cb-469f-a165-70867728950e'

t.test('label and UUID are changed in all four superblocks, each alone or both', async t => {
  const image = join(t.testdir({}), 'disk.img')
  makeVolume({
    path: image,
    sizeBytes: 64 << 20,
    uuid: undefined,
    label: 'first',
    seed: undefined,
    createdNs: 0n,
  })
  const before = await infoOf(image)
  t.match(await run('tune', '-L', 'zweite Hälfte', image), { exit: 0, stdout: /label zweite Hälfte, UUID / })
  t.match(await infoOf(image), { label: 'zweite Hälfte', uuid: before.uuid })
  t.equal((await run('tune', '-U', UUID, image)).exit, 0)
  const both = await infoOf(image)
  t.match(both, { label: 'zweite Hälfte', uuid: UUID })
  t.ok(both.superblocks.every(({ matches }) => matches))
  t.equal(both.superblocks[0]?.generation, String(BigInt(before.superblocks[0]?.generation ?? 0) + 2n))
  const last = JSON.parse((await run('tune', '--json', '-L', '', '-U', 'random', image)).stdout)
  t.match(last, { label: '', uuid: /^[0-9a-f-]{36}$/ })
  t.not(last.uuid, UUID)
  t.equal((await run('fsck', '-n', image)).exit, 0)
})

t.test('what cannot be is refused in one line, and nothing is written', async t => {
  const folder = t.testdir({ 'text.img': 'not a volume'.repeat(1000) })
  const image = join(folder, 'disk.img')
  makeVolume({ path: image, sizeBytes: 64 << 20, uuid: undefined, label: 'a', seed: undefined, createdNs: 0n })
  const before = hashOf(image)
  for (const [exit, ...words] of [
    [16, image],
    [16, '-L', 'x'.repeat(64), image],
    [16, '-U', 'no-uuid', image],
    [1, '-L', 'x', join(folder, 'text.img')],
    [1, '-L', 'x', join(folder, 'absent.img')],
  ] as const)
    t.match(await run('tune', ...words), { exit, stdout: '', stderr: /^hn4 tune: [^\n]*\n$/ }, words.join(' '))
  t.equal(hashOf(image), before)
  t.equal(readFileSync(join(folder, 'text.img'), 'utf8').length, 12_000)
})

mountTest(t, 'a mounted volume is busy, also for reading; a log that is to be replayed stays', async t => {
  const scratch = new Scratch(t)
  for (const options of ['rw', 'ro']) {
    scratch.mount('-o', options)
    t.match(
      hn4('tune', '-L', 'new', scratch.image),
      { exit: 1, stderr: /^hn4 tune: [^\n]*mounted at[^\n]*\n$/ },
      options,
    )
    scratch.umount()
  }
  const daemon = scratch.mount()
  writeFileSync(scratch.path('file'), 'synced', { flush: true })
  process.kill(daemon.pid, 'SIGKILL')
  t.ok(await eventually(() => !isAlive(daemon)))
  t.equal(hn4('umount', scratch.dir).exit, 0)
  t.equal(hn4('tune', '-L', 'new', scratch.image).exit, 0)
  const ran = hn4('mount', scratch.image, scratch.dir)
  t.match(ran.stderr, /replayed/, 'the case happened')
  t.equal(readFileSync(scratch.path('file'), 'utf8'), 'synced')
  scratch.umount()
  t.match(await infoOf(scratch.image), { label: 'new' })
})
