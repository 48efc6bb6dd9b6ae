// Mount and unmount cycles with writes: node scripts/soak-cycles.mjs [ROUNDS]   (default 1,000)
// Build first (npm run build). Ends with exit code 1 at the first difference, and checks the volume at the end.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCycles } from '../dist/test/support/cycles.js'
import { must } from '../dist/test/support/scratch.js'

const rounds = Number(process.argv[2] ?? 1000)
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error('soak-cycles: the argument is a number of rounds')
  process.exit(16)
}

const folder = mkdtempSync(join(tmpdir(), 'hn4-soak-'))
const [image, dir] = [join(folder, 'disk.img'), join(folder, 'mnt')]
try {
  mkdirSync(dir)
  must('mkfs', '-q', image, '128M')
  const began = performance.now()
  const problems = await runCycles(image, dir, rounds, round => {
    if ((round + 1) % 100 === 0)
      console.log(`${round + 1} rounds, ${((performance.now() - began) / (round + 1)).toFixed(1)} ms each`)
  })
  for (const problem of problems) console.error(problem)
  must('fsck', '-q', image)
  must('scrub', '-q', image)
  process.exitCode = problems.length > 0 ? 1 : 0
  console.log(
    problems.length > 0 ? 'failed' : `${rounds} rounds: every file there, nothing to replay, fsck and scrub clean`,
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}
