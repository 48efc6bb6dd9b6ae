/**
 * Tests that mount. Where this machine cannot mount they are skipped with the reason; either way
 * a line in the file named by HN4_MOUNT_LOG says so, and .ci/run checks that they really ran.
 */
import { appendFileSync } from 'node:fs'
import type { Test } from 'tap'
import { mountObstacle } from '../../src/mount/machine.ts'

const obstacle = mountObstacle()

/** Notes that a mount test ran or was skipped; scripts/test.mjs counts the lines. */
export function noteMountTest(outcome: 'ran' | 'skipped', title: string): void {
  const log = process.env.HN4_MOUNT_LOG
  if (log !== undefined && log !== '') appendFileSync(log, `${outcome} ${title}\n`)
}

/** A subtest that needs a working mount. */
export function mountTest(t: Test, title: string, body: (t: Test) => Promise<void>): Promise<unknown> {
  if (obstacle !== undefined) {
    noteMountTest('skipped', title)
    return t.test(title, { skip: obstacle.advice ?? obstacle.found }, async () => {})
  }
  return t.test(title, async sub => {
    await body(sub as Test)
    noteMountTest('ran', title)
  })
}
