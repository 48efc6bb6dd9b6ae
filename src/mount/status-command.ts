/** `hn4 status`: asks the process that serves a mount how it stands. */
import type { Command } from '../console/command.ts'
import type { Context } from '../console/context.ts'
import { EXIT } from '../console/exit-codes.ts'
import type { JsonObject } from '../console/json.ts'
import { counted, formatCount } from '../console/size.ts'
import { keyValues } from '../console/table.ts'
import { ask, placeOf } from '../control/client.ts'
import { type Status, status } from '../control/requests/status.ts'
import type { Mount } from '../device/mount-table.ts'
import { findMount } from './umount-command.ts'

const BLOCK_BYTES = 4096

const timeText = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')

/** What programs meet: a mount can be read-only above a volume that is not. */
function stateText({ state, why }: Status, mount: Mount): string {
  if (state === 'writing' && mount.options.includes('ro')) return 'read-only: the mount was made so (remount,ro)'
  const words = state === 'stopped' ? 'stopped writing, reads go on' : state
  return why === undefined ? words : `${words}: ${why}`
}

function statusText(ctx: Context, found: Status, mount: Mount): string {
  const size = (blocks: number): string => ctx.size(blocks * BLOCK_BYTES)
  const { blocks, blocksFree, files, filesFree, lines, lastLine, lastLineMs } = found
  return keyValues([
    ['State', stateText(found, mount)],
    ['Image', found.image],
    ['Mounted on', found.mountpoint],
    ['Since', timeText(found.sinceMs)],
    ['Process', `${found.pid}, hn4 ${found.version}`],
    ['Transport', `${found.transport} (${mount.type})`],
    ['Log', `${size(found.logHeld)} of ${size(found.logBlocks)} in use`],
    ['Not yet placed', size(found.delayedBlocks)],
    ['Space', `${size(blocks - blocksFree)} of ${size(blocks)} in use, ${size(found.blocksAvailable)} available`],
    ['Files', `${formatCount(files - filesFree)} of ${formatCount(files)}`],
    ['Lines go to', found.linesTo],
    [
      'Last trouble',
      lastLine === undefined
        ? 'none'
        : `${timeText(lastLineMs ?? 0)} ${lastLine}${lines > 1 ? ` (${counted(lines, 'line')} since the mount)` : ''}`,
    ],
  ])
}

function statusJson(found: Status, mount: Mount): JsonObject {
  return {
    state: found.state,
    why: found.why ?? null,
    mount_read_only: mount.options.includes('ro'),
    image: found.image,
    mountpoint: found.mountpoint,
    device: mount.device,
    type: mount.type,
    since: timeText(found.sinceMs),
    pid: found.pid,
    version: found.version,
    transport: found.transport,
    block_size: BLOCK_BYTES,
    log_blocks: found.logBlocks,
    log_blocks_used: found.logHeld,
    delayed_blocks: found.delayedBlocks,
    blocks: found.blocks,
    blocks_free: found.blocksFree,
    blocks_available: found.blocksAvailable,
    files: found.files,
    files_free: found.filesFree,
    lines_to: found.linesTo,
    lines: found.lines,
    last_line: found.lastLine ?? null,
    last_line_at: found.lastLineMs === undefined ? null : timeText(found.lastLineMs),
  }
}

async function run(ctx: Context): Promise<number> {
  const mount = findMount(ctx.arg(0))
  const found = await ask(placeOf(mount), status, {})
  if (ctx.isJson) ctx.json(statusJson(found, mount))
  else ctx.io.stdout.write(statusText(ctx, found, mount))
  return EXIT.OK
}

export const statusCommand: Command = {
  name: 'status',
  summary: 'show how a mount stands',
  description: [
    'Asks the process that serves the mount, over its control socket: whether it writes, is read-only or has stopped ' +
      'writing (and why), how full log, space and file table are, the last line about trouble. No disk is waited for, ' +
      'so it answers also while a disk does not. Only the user who mounted and root may ask.',
    'Exit code 0: it answered, whatever the state (with --json: "state" is writing, read-only or stopped); 8: nobody ' +
      'answers; 16: another kind of mount.',
  ],
  exits: 'fsck',
  without: ['color', 'quiet', 'verbose'],
  arguments: [{ name: 'DIR', summary: 'where it is mounted, or the image' }],
  examples: [
    { line: 'hn4 status /mnt', meaning: 'the state of the mount' },
    { line: 'hn4 status --raw disk.img', meaning: 'by the name of the image, sizes in bytes' },
    { line: 'hn4 status --json /mnt', meaning: 'for a program' },
  ],
  run,
}
