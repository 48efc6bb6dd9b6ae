/**
 * Two implementations of one format: the engine (Rust) fills a volume that mkfs (TypeScript) made, and
 * the reader (TypeScript) must find exactly what the engine's model says. A failure names its seed.
 */
import { join } from 'node:path'
import t from 'tap'
import { fsck } from '../fsck-scrub/command.ts'
import { scrubCommand } from '../fsck-scrub/scrub-command.ts'
import { mkfs } from '../mkfs/command.ts'
import { Volume } from '../src/reader/volume.ts'
import { runCommand } from './support/cli.ts'
import { BUILD_MS, differenceOf, manifestOf, populate } from './support/engine.ts'

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
    const expected = populate(image, String(seed), ...options)
    t.ok(expected.length > 1000)

    const volume = Volume.open(image)
    const replayed = volume.core.transactions.length
    if (options.includes('--crash')) t.ok(replayed > 0, 'a log that must be replayed')
    else t.equal(replayed, 0)
    const found = manifestOf(volume)
    volume.close()
    t.equal(differenceOf(found, expected), null, `seed ${seed}`)

    for (const [tool, command, more] of [
      ['fsck.hn4', fsck, ['-n']],
      ['hn4 scrub', scrubCommand, []],
    ] as const) {
      const ran = await runCommand(tool, command, [...more, '-q', image])
      t.equal(ran.exit, 0, `${tool}: ${ran.stdout}${ran.stderr}`)
    }
    t.strictSame(populate(image, '--list'), expected, 'the engine reads it again')
  })
}
