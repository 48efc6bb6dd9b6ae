#!/usr/bin/env node
/** The executable `mkfs.hn4`. */
import { start } from '../src/base/start.ts'

await start('mkfs.hn4', 1, async () => {
  const { main } = await import('../src/console/run.ts')
  const { mkfs } = await import('./command.ts')
  await main('mkfs.hn4', mkfs)
})
