#!/usr/bin/env node
/** The executable `hn4`. */
import { start } from '../src/base/start.ts'

await start('hn4', 8, async () => {
  const { main } = await import('../src/console/run.ts')
  const { HN4 } = await import('./commands.ts')
  await main('hn4', HN4)
})
