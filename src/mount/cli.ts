#!/usr/bin/env node
/** The executable `mount.hn4`. */
import { start } from '../base/start.ts'

await start('mount.hn4', 2, async () => {
  const { main } = await import('../console/run.ts')
  const { mountHelper } = await import('./helper-command.ts')
  await main('mount.hn4', mountHelper)
})
