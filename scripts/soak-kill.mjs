// kill -9 of the daemon under busy writers: node scripts/soak-kill.mjs [ROUNDS] [SEED]   (default 200)
// Build first (npm run build). The seed decides what the writers do and when the daemon dies; how far they come by
// then is the machine's. Ends with exit code 1 at the first difference, and checks the volume at the end.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runKills } from '../dist/test/support/kills.js'
import { must } from '../dist/test/support/scratch.js'

const [rounds, seed] = [Number(process.argv[2] ?? 200), Number(process.argv[3] ?? Date.now() % 1_000_000)]
if (!Number.isInteger(rounds) || rounds < 1 || !Number.isInteger(seed)) {
  console.error('soak-kill: the arguments are a number of rounds and a seed')
  process.exit(16)
}

const folder = mkdtempSync(join(tmpdir(), 'hn4-soak-'))
const [image, dir, log] = [join(folder, 'disk.img'), join(folder, 'mnt'), join(folder, 'log')]
let keeps = false
console.log(`seed ${seed}`)
try {
  mkdirSync(dir)
  must('mkfs', '-q', image, '256M')
  const { problems, steps, replayed } = await runKills(image, dir, log, rounds, seed, round => {
    if ((round + 1) % 20 === 0) console.log(`${round + 1} rounds`)
  })
  for (const problem of problems.slice(0, 20)) console.error(problem)
  keeps = problems.length > 0
  if (!keeps) {
    must('fsck', '-n', '-f', '-q', image)
    must('scrub', '-q', image)
  }
  process.exitCode = keeps ? 1 : 0
  const told = `${rounds} kills, ${steps} steps of writers, ${replayed} mounts replayed: all that was synced is there, fsck and scrub clean`
  console.log(keeps ? `failed; the image is ${image}` : told)
} finally {
  if (!keeps) rmSync(folder, { recursive: true, force: true })
}
