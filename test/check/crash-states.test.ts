/** What power cuts leave, as the engine's durability proof builds it, looked at by the reader and fsck. */
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { PACKAGE_TOP } from '../../src/base/package.ts'
import { BUILD_MS, crashProof, engineHasCodec } from '../support/engine.ts'

/** All workloads together; each has at least one life. */
const STATES = 190
const STATES_WITH_CODEC = 95

t.setTimeout(BUILD_MS)

t.test('the reader and fsck find in the states of every workload what the engine finds', async t => {
  look(t, STATES)
})

t.test('the same on volumes whose blocks are not plain', async t => {
  if (engineHasCodec()) look(t, STATES_WITH_CODEC, 'xor')
  else t.comment('the engine of this tree has no test codec')
})

/** `codec`: of the volumes that the proof makes and the reader opens. */
function look(t: Test, count: number, codec = ''): void {
  const env = {
    ...process.env,
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    HN4_CRASH_READER: join(PACKAGE_TOP, 'dist/test/support/crash-reader.js'),
    HN4_CRASH_STATES: String(count),
    HN4_CRASH_CODEC: codec,
  }
  const words = ['--exact', 'proof::long_run', '--include-ignored', '--nocapture']
  const ran = spawnSync(crashProof(), words, { env, encoding: 'utf8', maxBuffer: 64 << 20 })
  t.equal(ran.status, 0, `${ran.stdout}\n${ran.stderr.slice(0, 4000)}`)
  const rows = ran.stdout.split('\n').map(line => line.trim().split(/\s+/))
  const [states = 0, seconds = 0, , read = 0] = (rows.find(([name]) => name === 'all') ?? []).slice(1).map(Number)
  t.ok(states > count / 2, `${states} states`)
  t.equal(read, states + seconds, 'every image was read')
}
