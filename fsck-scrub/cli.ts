#!/usr/bin/env node
/** The executable `fsck.hn4`. */
import { start } from '../src/base/start.ts'

await start('fsck.hn4', 8, async () => {
  const { main } = await import('../src/console/run.ts')
  const { fsck } = await import('./command.ts')
  await main('fsck.hn4', fsck)
})
