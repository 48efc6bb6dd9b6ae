/** The command line of mount.hn4, as mount(8) calls it: mount.hn4 IMAGE DIR [-sfnv] [-N ns] [-o opts] [-t type]. */
import { printable } from '../base/printable.ts'
import type { Command } from '../console/command.ts'
import type { Context } from '../console/context.ts'
import { MOUNT_EXIT } from '../console/exit-codes.ts'
import { UsageError } from '../console/failure.ts'
import { mountInBackground } from './command.ts'
import { parseMountOptions } from './options.ts'
import { prepare } from './prepare.ts'
import { isRemount, remount } from './remount.ts'

async function run(ctx: Context): Promise<number> {
  // mount(8) enters the namespace itself before it calls a helper.
  if (ctx.options.text('namespace') !== undefined) throw new UsageError('-N: use mount -N, which enters the namespace')
  const [lists, isSloppy, isFake] = [ctx.options.list('options'), ctx.options.flag('sloppy'), ctx.options.flag('fake')]
  if (isRemount(lists)) return await remount(ctx, ctx.arg(1), lists, { isWhole: true, isSloppy, isFake })
  const options = parseMountOptions(lists, isSloppy)
  if (options.dropped.length > 0 && ctx.isVerbose) ctx.note(`ignored: ${options.dropped.join(', ')}`)
  const request = await prepare(ctx, ctx.arg(0), ctx.arg(1), options)
  if (!isFake) return await mountInBackground(ctx, request, options)
  if (ctx.isVerbose) ctx.print(printable(`${request.image} would be mounted on ${request.mountpoint}`))
  return MOUNT_EXIT.OK
}

export const mountHelper: Command = {
  name: 'mount.hn4',
  summary: 'mount an hn4 volume; called by mount -t hn4',
  exits: 'mount',
  without: ['json', 'raw', 'iec', 'si', 'quiet', 'color'],
  arguments: [
    { name: 'IMAGE', summary: 'file or block device' },
    { name: 'DIR', summary: 'where to mount it' },
  ],
  options: [
    { name: 'sloppy', short: 's', kind: 'flag', summary: 'ignore mount options that are not known' },
    { name: 'fake', short: 'f', kind: 'flag', summary: 'do everything but mount' },
    { name: 'no-mtab', short: 'n', kind: 'flag', summary: 'accepted; there is no table to write' },
    { name: 'namespace', short: 'N', kind: 'text', value: 'NS', summary: 'mount in this namespace' },
    { name: 'options', short: 'o', kind: 'list', value: 'OPTIONS', summary: 'mount options, separated by commas' },
    { name: 'type', short: 't', kind: 'text', value: 'TYPE', summary: 'accepted; the type is hn4' },
  ],
  examples: [
    { line: 'mount -t hn4 disk.img /mnt', meaning: 'mount by way of mount(8)' },
    { line: 'mount.hn4 disk.img /mnt -o ro,noatime', meaning: 'call the helper itself' },
    { line: 'mount -o remount,ro /mnt', meaning: 'read only from now on; everything is durable when it returns' },
    { line: 'mount.hn4 -f -v disk.img /mnt', meaning: 'check that it would mount' },
  ],
  run,
}
