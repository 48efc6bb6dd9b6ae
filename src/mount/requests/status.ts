/** Answers `status`: figures that the addon has in memory. Nothing here waits for a disk. */
import { PACKAGE_VERSION } from '../../base/package.ts'
import { handler } from '../../control/request.ts'
import { type Status, status } from '../../control/requests/status.ts'
import type { MountState, TransportReport } from '../../native/mount.ts'
import type { Daemon } from './daemon.ts'

function stateOf({ stopped, readOnly }: MountState): Pick<Status, 'state' | 'why'> {
  if (stopped !== undefined) return { state: 'stopped', why: stopped }
  return readOnly ? { state: 'read-only', why: 'mounted with -o ro' } : { state: 'writing' }
}

function transportText({ name, threads, reason }: TransportReport): string {
  if (name === 'uring') return `io_uring, ${threads} threads`
  return reason === undefined ? '/dev/fuse' : `/dev/fuse; not io_uring: ${reason}`
}

function statusOf({ request, handle, sinceMs, linesTo }: Daemon): Status {
  const [now, space] = [handle.state(), handle.stats()]
  return {
    ...stateOf(now),
    image: request.image,
    mountpoint: request.mountpoint,
    pid: process.pid,
    version: PACKAGE_VERSION,
    sinceMs,
    transport: transportText(handle.transport()),
    linesTo: linesTo(),
    logBlocks: now.logBlocks,
    logHeld: now.logHeld,
    delayedBlocks: now.delayedBlocks,
    blocks: space.blocks,
    blocksFree: space.blocksFree,
    blocksAvailable: space.blocksAvailable,
    files: space.files,
    filesFree: space.filesFree,
    lines: now.lines,
    lastLine: now.lastLine,
    lastLineMs: now.lastLineMs,
  }
}

export const answerStatus = (daemon: Daemon) => handler(status, () => statusOf(daemon))
