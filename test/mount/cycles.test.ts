import t from 'tap'
import { runCycles } from '../support/cycles.ts'
import { mountTest } from '../support/mount.ts'
import { hn4, Scratch } from '../support/scratch.ts'

mountTest(t, '50 mounts and unmounts with writes: every file of every round is there', async t => {
  const scratch = new Scratch(t)
  const problems = await runCycles(scratch.image, scratch.dir, 50)
  t.strictSame(problems, [])
  t.equal(scratch.mounted, undefined)
  t.equal(hn4('fsck', scratch.image).exit, 0)
  t.equal(hn4('scrub', scratch.image).exit, 0)
})
