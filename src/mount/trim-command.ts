/** `hn4 trim`: the host gets the space of freed blocks back. */
import { Hn4Error } from '../base/error.ts'
import { realpathSync } from '../base/host-files.ts'
import { printable } from '../base/printable.ts'
import type { Command } from '../console/command.ts'
import type { Context } from '../console/context.ts'
import { EXIT } from '../console/exit-codes.ts'
import { ask, placeOf } from '../control/client.ts'
import { trim } from '../control/requests/trim.ts'
import type { Mount } from '../device/mount-table.ts'
import { refuseStrange } from '../device/refusal.ts'
import { addon } from '../native/addon.ts'
import { errorOf, isFailure } from '../native/failure.ts'
import { findMount } from './umount-command.ts'

const BLOCK_BYTES = 4096n

/** The mount that is meant, if it is one. */
function mountOf(given: string): Mount | undefined {
  try {
    return findMount(given)
  } catch (error) {
    if (error instanceof Hn4Error && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}

async function blocksOfImage(given: string): Promise<number> {
  refuseStrange(given)
  const blocks = await addon().trimVolume(realpathSync(given))
  if (isFailure(blocks)) throw errorOf(blocks, given)
  return blocks
}

const blocksOfMount = async (mount: Mount): Promise<number> => (await ask(placeOf(mount), trim, {})).blocks

async function run(ctx: Context): Promise<number> {
  const given = ctx.arg(0)
  const mount = mountOf(given)
  const blocks = mount === undefined ? await blocksOfImage(given) : await blocksOfMount(mount)
  const bytes = BigInt(blocks) * BLOCK_BYTES
  if (ctx.isJson) ctx.json({ target: given, mounted: mount !== undefined, trimmed_bytes: bytes })
  else ctx.print(printable(`${given}: ${ctx.size(Number(bytes))} trimmed`))
  return EXIT.OK
}

export const trimCommand: Command = {
  name: 'trim',
  summary: 'give the space of freed blocks back to the host',
  description: [
    'Tells the host which blocks of the volume are free: an image file gets holes, a block device is discarded. Of a ' +
      'mount its daemon is asked (only the user who mounted and root may), as fstrim(8) does; a volume that is not ' +
      'mounted is locked, and its log replayed. What was deleted before is committed first.',
    'A block is given back only when no state that a crash can leave still needs it. Blocks of the overwrite area and ' +
      'room kept behind growing files are left alone. What is printed counts every free block, also those that have ' +
      'no space on the host any more.',
    'mount -o discard does it as blocks are freed, which costs a call of the host for each run of them.',
  ],
  exits: 'fsck',
  without: ['color', 'verbose'],
  arguments: [{ name: 'TARGET', summary: 'where it is mounted, or the image' }],
  examples: [
    { line: 'hn4 trim /mnt', meaning: 'of a mount; as fstrim /mnt' },
    { line: 'hn4 trim disk.img', meaning: 'of a volume that is not mounted' },
    { line: 'hn4 trim --json /mnt', meaning: 'for a program' },
  ],
  run,
}
