import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { PACKAGE_TOP } from '../../src/base/package.ts'
import { type MkfsCase, mkfsSum } from '../support/mkfs-sum.ts'

t.test('a volume is the one of the vectors, which the engine makes too', async t => {
  const text = readFileSync(join(PACKAGE_TOP, 'test/vectors/mkfs.json'), 'utf8')
  const { volumes } = JSON.parse(text) as {
    volumes: (Omit<MkfsCase, 'created'> & { created: string; nonzero_blocks: number; siphash: string })[]
  }
  for (const { created, nonzero_blocks, siphash, ...rest } of volumes) {
    t.strictSame(mkfsSum({ ...rest, created: BigInt(created) }), { nonzero_blocks, siphash }, `${rest.blocks} blocks`)
  }
})
