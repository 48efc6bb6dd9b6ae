/**
 * images/golden-v1.img.gz: a volume of format version 1 as it was written once, with the list of what is
 * in it. Later programs must read it. Made with
 *
 *     SOURCE_DATE_EPOCH=1700000000 mkfs.hn4 -L golden --seed 676f6c64656e golden-v1.img 16M
 *     populate golden-v1.img 1 --small > images/golden-v1.json    (native/core/examples/populate)
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { fsck } from '../fsck-scrub/command.ts'
import { scrubCommand } from '../fsck-scrub/scrub-command.ts'
import { mkfs } from '../mkfs/command.ts'
import { PACKAGE_TOP } from '../src/base/package.ts'
import { Volume } from '../src/reader/volume.ts'
import { runCommand } from './support/cli.ts'
import { BUILD_MS, type ManifestEntry, manifestOf, populate } from './support/engine.ts'

t.setTimeout(BUILD_MS)

const EMPTY_SHA256 = '66f630c7b40665d98d6ce1a88cea6202ecf3d5551f05a90dac56140be3eec5b5'
const file = (name: string): Buffer => readFileSync(join(PACKAGE_TOP, name))
const sum = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

t.test('the golden image is read by both implementations, to the byte', async t => {
  const image = join(t.testdir({}), 'golden.img')
  const bytes = gunzipSync(file('images/golden-v1.img.gz'))
  writeFileSync(image, bytes)
  const expected = JSON.parse(file('images/golden-v1.json').toString()) as ManifestEntry[]
  t.ok(expected.length > 400)
  const volume = Volume.open(image)
  const found = manifestOf(volume)
  volume.close()
  t.strictSame(found, expected)
  t.strictSame(populate(image, '--list'), expected)
  t.equal((await runCommand('fsck.hn4', fsck, ['-n', '-q', image])).exit, 0)
  t.equal((await runCommand('hn4 scrub', scrubCommand, ['-q', image])).exit, 0)
  t.equal(sum(readFileSync(image)), sum(bytes), 'nobody wrote to it')
})

t.test('mkfs with seed and date makes the same empty volume as ever', async t => {
  const image = join(t.testdir({}), 'empty.img')
  const words = ['-q', '-L', 'golden', '--seed', '676f6c64656e', image, '16M']
  const ran = await runCommand('mkfs.hn4', mkfs, words, { env: { SOURCE_DATE_EPOCH: '1700000000' } })
  t.equal(ran.exit, 0, ran.stderr)
  t.equal(sum(readFileSync(image)), EMPTY_SHA256)
})
