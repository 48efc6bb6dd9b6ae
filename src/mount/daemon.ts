/**
 * The background process of a mount, started by start.ts with one JSON argument. Descriptor 3 is a
 * pipe: READY in it means that the mount answers and that this process has let go of its output; the
 * next line says, as JSON, where its lines go.
 */
import { closeSync, writeSync } from '../base/host-files.ts'
import { addon } from '../native/addon.ts'
import { linesTo, ownLog } from './own-log.ts'
import { serveAndExit } from './serve.ts'
import type { DaemonArgument } from './start.ts'

export const READY = 'READY\n'
export const READY_FD = 3

const { tool, request, log, isDebug } = JSON.parse(process.argv[2] ?? '{}') as DaemonArgument

await serveAndExit({
  tool,
  request,
  log,
  isDebug,
  onReady(file) {
    addon().detachOutput(file, ownLog())
    writeSync(READY_FD, `${READY}${JSON.stringify(linesTo())}\n`)
    closeSync(READY_FD)
  },
})
