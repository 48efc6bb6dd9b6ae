import { statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { hn4 } from '../support/scratch.ts'

const SIZE = 32 << 20

t.test('-E prealloc gives a new or an old image file all its blocks, and keeps the volume sound', async t => {
  const image = join(t.testdir(), 'disk.img')
  t.equal(hn4('mkfs', '-q', image, String(SIZE)).exit, 0)
  t.ok(statSync(image).blocks * 512 < SIZE / 2, 'without it the file is sparse')
  for (const words of [['-f'], ['-f', '-E', 'prealloc'], ['-f', '-E', 'stride=1,prealloc']]) {
    t.equal(hn4('mkfs', '-q', ...words, image, String(SIZE)).exit, 0)
    t.equal(statSync(image).blocks * 512 >= SIZE, words.length > 1, words.join(' '))
    t.equal(hn4('fsck', '-n', image).exit, 0)
  }
  t.match(hn4('mkfs', '-E', 'prealloc=1', image), { exit: 16, stderr: /prealloc/ })
})
