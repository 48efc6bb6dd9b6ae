// Mount and unmount cycles with writes: node scripts/soak-cycles.mjs [ROUNDS]   (default 1,000)
// Build first (npm run build). Ends with exit code 1 at the first difference, and checks the volume at the end.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCycles } from '../dist/test/support/cycles.js'

const top = join(dirname(fileURLToPath(import.meta.url)), '..')
const rounds = Number(process.argv[2] ?? 1000)
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error('soak-cycles: the argument is a number of rounds')
  process.exit(16)
}

const hn4 = (...words) => {
  const done = spawnSync(process.execPath, [join(top, 'dist/src/cli/main.js'), ...words], { encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`hn4 ${words[0]}: exit ${done.status}: ${done.stderr}${done.stdout}`)
}

const folder = mkdtempSync(join(tmpdir(), 'hn4-soak-'))
const [image, dir] = [join(folder, 'disk.img'), join(folder, 'mnt')]
try {
  mkdirSync(dir)
  hn4('mkfs', '-q', image, '128M')
  const began = performance.now()
  const problems = await runCycles(image, dir, rounds, round => {
    if ((round + 1) % 100 === 0)
      console.log(`${round + 1} rounds, ${((performance.now() - began) / (round + 1)).toFixed(1)} ms each`)
  })
  for (const problem of problems) console.error(problem)
  hn4('fsck', '-q', image)
  hn4('scrub', '-q', image)
  process.exitCode = problems.length > 0 ? 1 : 0
  console.log(
    problems.length > 0 ? 'failed' : `${rounds} rounds: every file there, nothing to replay, fsck and scrub clean`,
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}
