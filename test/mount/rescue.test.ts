/** Mounting what is left of a volume whose image was cut. */
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Volume } from '../../src/reader/volume.ts'
import { mountTest } from '../support/mount.ts'
import { codeOf, hashOf, hn4, Scratch } from '../support/scratch.ts'

mountTest(t, 'a shortened image mounts with -o ro,rescue only, and shows what it has', async t => {
  const scratch = new Scratch(t)
  scratch.mount()
  for (let i = 0; i < 40; i++) writeFileSync(scratch.path(`file ${i}`), '')
  scratch.umount()
  // The names have their place.
  scratch.mount()
  for (let i = 0; i < 40; i++) writeFileSync(scratch.path(`file ${i}`), Buffer.alloc(20_000, i + 1))
  scratch.umount()
  const volume = Volume.open(scratch.image)
  const blockOf = (i: number): number => volume.blocks(volume.lookup(`/file ${i}`)).find(0)!.block
  const root = [0, 1].map(copy => volume.blocks(volume.root()).find(0, copy)!.block)
  const blocks = Array.from({ length: 40 }, (_, i) => blockOf(i))
  volume.close()
  // The middle one is gone, and the names are not.
  const middle = blocks.toSorted((a, b) => a - b)[20]!
  const end = Math.max(middle, Math.min(...root) + 1)
  const lost = blocks.findIndex(block => block >= end)
  const kept = blocks.findIndex(block => block + 5 <= end)
  t.ok(lost >= 0 && kept >= 0, 'the case happened')
  truncateSync(scratch.image, end * 4096)
  const before = hashOf(scratch.image)

  for (const words of [['-o', 'ro'], []]) {
    const refused = hn4('mount', ...words, scratch.image, scratch.dir)
    t.equal(refused.exit, 32)
    t.match(refused.stderr, /^hn4 mount: [^\n]*has 16384 blocks[^\n]* -o ro,rescue [^\n]*\n$/)
  }
  const writing = hn4('mount', '-o', 'rescue', scratch.image, scratch.dir)
  t.equal(writing.exit, 1)
  t.match(writing.stderr, /-o ro,rescue/)

  const mounted = hn4('mount', '-o', 'ro,rescue', scratch.image, scratch.dir)
  t.equal(mounted.exit, 0, mounted.stderr)
  t.match(mounted.stderr, /missing: the volume has 16384 blocks, its device only \d+/)
  t.equal(readdirSync(scratch.dir).length, 40)
  t.ok(readFileSync(scratch.path(`file ${kept}`)).equals(Buffer.alloc(20_000, kept + 1)))
  t.equal(
    codeOf(() => readFileSync(scratch.path(`file ${lost}`))),
    'EIO',
  )
  t.equal(
    codeOf(() => writeFileSync(join(scratch.dir, 'new'), '')),
    'EROFS',
  )
  scratch.umount()
  t.equal(hashOf(scratch.image), before)
})
