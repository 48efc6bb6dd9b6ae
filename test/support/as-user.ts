/** Shell scripts run as an ordinary user who may mount, in a mount namespace of their own. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { PACKAGE_TOP } from '../../src/base/package.ts'
import type { Ran } from './cli.ts'
import { mountTest } from './mount.ts'

const CANNOT = 77

/** `hn4`, `mkfs.hn4` and `fsck.hn4` of this package, for the script. */
const TOOLS = `
hn4() { "$NODE" "$PACKAGE/dist/cli/main.js" "$@"; }
mkfs() { "$NODE" "$PACKAGE/dist/mkfs/cli.js" "$@"; }
fsck() { "$NODE" "$PACKAGE/dist/fsck-scrub/cli.js" "$@"; }
code() { rc=0; "$@" || rc=$?; echo "exit $rc"; }
`

/** What the script prints; exit code 77 with the reason where this machine cannot run it. */
function runAsUser(script: string): Ran {
  // Below the system's own folder for temporary files: nobody has to reach it.
  const folder = mkdtempSync(join(tmpdir(), 'hn4-user-'))
  try {
    const helper = join(PACKAGE_TOP, 'test/support/as-user.sh')
    const words = ['--mount', '--propagation', 'private', helper, folder, PACKAGE_TOP, process.execPath, TOOLS + script]
    const done = spawnSync('unshare', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
    if (done.error !== undefined) return { exit: CANNOT, stdout: 'no unshare here', stderr: '' }
    return { exit: done.status ?? 128, stdout: done.stdout, stderr: done.stderr }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Why no user can be made here who may mount; undefined if one can. */
function obstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can become another user'
  const ran = runAsUser('true')
  return ran.exit === 0 ? undefined : `${ran.stdout}${ran.stderr}`.trim().split('\n')[0]
}

/** A subtest of what an ordinary user sees; `check` gets what the script printed. Skipped where no such user can be made. */
export function userTest(t: Test, title: string, script: string, check: (t: Test, ran: Ran) => void): Promise<unknown> {
  const skip = obstacle()
  if (skip !== undefined) return t.test(title, { skip }, async () => {})
  return mountTest(t, title, async sub => check(sub, runAsUser(script)))
}
