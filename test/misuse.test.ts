/** Rules of the engine that its types hold: each misuse of `volume/misuse.rs` fails to compile, and for its reason. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { PACKAGE_TOP } from '../src/base/package.ts'

const MISSING_ARGUMENT = 'E0061'
const WRONG_TYPE = 'E0308'

/** Codes of the errors that building the crate with a misuse ends with, in order. */
function errorsWith(misuse: string): string[] {
  const cargo = ['rustc', '--lib', '--quiet', '--profile', 'check', '--package', 'hn4-core']
  const where = ['--manifest-path', join(PACKAGE_TOP, 'native/Cargo.toml'), '--message-format', 'json']
  const done = spawnSync(
    'cargo',
    [...cargo, ...where, '--', '--cfg', 'hn4_misuse', '--cfg', `hn4_misuse="${misuse}"`],
    {
      encoding: 'utf8',
      maxBuffer: 64 << 20,
    },
  )
  const messages = done.stdout.split('\n').filter(line => line.startsWith('{"reason":"compiler-message"'))
  const codes = messages.flatMap(line => {
    const { message } = JSON.parse(line) as { message: { level: string; code: { code: string } | null } }
    return message.level === 'error' && message.code !== null ? [message.code.code] : []
  })
  if (done.status !== 0 && codes.length === 0) throw new Error(`cargo: exit ${done.status}: ${done.stderr}`)
  return codes
}

t.test('what is right compiles', { timeout: 300_000 }, async t => {
  t.strictSame(errorsWith('none'), [])
})

const misuses = [
  ['mark', MISSING_ARGUMENT, 'a file is marked inside a transaction only'],
  ['place_meta', WRONG_TYPE, 'META blocks are placed in a closed transaction only'],
  ['write_slot', WRONG_TYPE, 'slots are written in a closed transaction only'],
  ['describe', MISSING_ARGUMENT, 'a record is made when the data of renamed files is placed only'],
  ['take_changes', WRONG_TYPE, 'changed pages are taken from a closed transaction only'],
] as const

for (const [misuse, code, title] of misuses) {
  t.test(title, { timeout: 300_000 }, async t => {
    t.strictSame(errorsWith(misuse), [code])
  })
}
