/**
 * Two implementations of one format: the engine (Rust) fills a volume that mkfs (TypeScript) made, and
 * the reader (TypeScript) must find exactly what the engine's model says. A failure names its seed.
 */
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { mkfs } from '../mkfs/command.ts'
import { makeVolume } from '../mkfs/make.ts'
import type { CodecMaker } from '../src/format/block-codec.ts'
import type { PlanOptions } from '../src/format/plan.ts'
import { Volume } from '../src/reader/volume.ts'
import { fsckWith, scrubWith } from './support/checks.ts'
import { runCommand } from './support/cli.ts'
import { BUILD_MS, differenceOf, engineHasCodec, manifestOf, populate, WITH_XOR } from './support/engine.ts'
import { XOR } from './support/xor-codec.ts'

t.setTimeout(BUILD_MS)

const CASES: readonly (readonly [seed: number, words: string[], options?: string[]])[] = [
  [1, ['64M']],
  [2, ['64M'], ['--crash']],
  [3, ['16M']],
  [4, ['16M', '-m', 'single'], ['--crash']],
  [5, ['32M', '-m', 'single', '-N', '3000']],
  [6, ['32M', '-E', 'stride=3'], ['--crash']],
  [7, ['64M', '-E', 'stride=7,scale=2']],
  [8, ['128M', '-E', 'scale=4', '-N', '2000'], ['--crash']],
]

for (const [seed, words, options = []] of CASES) {
  t.test(`seed ${seed}: mkfs.hn4 ${words.join(' ')}, populate ${options.join(' ')}`, async t => {
    const image = join(t.testdir({}), 'disk.img')
    const made = await runCommand('mkfs.hn4', mkfs, ['-q', '--seed', '5eed', image, ...words])
    t.equal(made.exit, 0, made.stderr)
    await compare(t, image, seed, options)
  })
}

const CODEC_CASES: readonly (readonly [seed: number, mib: number, made: Partial<PlanOptions>, options: string[]])[] = [
  [11, 64, {}, ['--crash']],
  [12, 64, {}, []],
  [13, 32, { copies: 1 }, ['--crash']],
  [14, 64, { stride: 7, scale: 2 }, []],
]

t.test('the same with blocks that are not plain', async t => {
  t.ok(engineHasCodec(), 'populate knows the test codec')
  for (const [seed, mib, made, options] of CODEC_CASES) {
    t.comment(`seed ${seed}: ${mib} MiB, ${JSON.stringify(made)}, populate ${options.join(' ')}`)
    const image = join(t.testdir({}), 'disk.img')
    const identity = { seed: new Uint8Array([seed]), createdNs: 0n }
    makeVolume({ path: image, sizeBytes: mib << 20, descriptorSize: XOR.descriptorSize, ...made, ...identity })
    await compare(t, image, seed, options, XOR)
  }
})

/** The engine fills the volume, and the reader, fsck and scrub find what it says. */
async function compare(t: Test, image: string, seed: number, options: readonly string[], codec?: CodecMaker) {
  const words = codec === undefined ? [] : [WITH_XOR]
  const expected = populate(image, String(seed), ...options, ...words)
  t.ok(expected.length > 1000)

  const volume = Volume.open(image, codec)
  const replayed = volume.core.transactions.length
  if (options.includes('--crash')) t.ok(replayed > 0, 'a log that must be replayed')
  else t.equal(replayed, 0)
  const found = manifestOf(volume)
  volume.close()
  t.equal(differenceOf(found, expected), null, `seed ${seed}`)

  for (const [tool, command, more] of [
    ['fsck.hn4', fsckWith(codec), ['-n']],
    ['hn4 scrub', scrubWith(codec), []],
  ] as const) {
    const ran = await runCommand(tool, command, [...more, '-q', image])
    t.equal(ran.exit, 0, `${tool}: ${ran.stdout}${ran.stderr}`)
  }
  t.strictSame(populate(image, '--list', ...words), expected, 'the engine reads it again')
}
