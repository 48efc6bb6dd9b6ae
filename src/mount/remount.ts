/** `-o remount`: other flags for a mount that is there. */
import { Hn4Error } from '../base/error.ts'
import { printable } from '../base/printable.ts'
import type { Context } from '../console/context.ts'
import { MOUNT_EXIT } from '../console/exit-codes.ts'
import { UsageError } from '../console/failure.ts'
import { ask, placeOf } from '../control/client.ts'
import { status } from '../control/requests/status.ts'
import { sync } from '../control/requests/sync.ts'
import type { Mount } from '../device/mount-table.ts'
import { addon } from '../native/addon.ts'
import { errorOf } from '../native/failure.ts'
import { type MountOptions, parseMountOptions, splitOptions } from './options.ts'
import { processList, usersOf } from './processes.ts'
import { findMount } from './umount-command.ts'

export interface RemountSettings {
  /** The words are all flags that the mount is to have: mount(8) has merged them. Else what they do not name stays. */
  readonly isWhole?: boolean
  readonly isSloppy?: boolean
  readonly isFake?: boolean
}

/** Whether the `-o` arguments ask for it. */
export const isRemount = (lists: readonly string[]): boolean => lists.flatMap(splitOptions).includes('remount')

/** The kernel's own words for a FUSE mount, which mount(8) takes from the mount table and hands on. */
const OF_KERNEL = /^(remount|(fd|rootmode|user_id|group_id|max_read|blksize)=.*)$/

/** What the daemon was told when it began, and goes by. */
const FIXED = ['noatime', 'sync', 'dirsync'] as const

/** What can be read from the mount table. */
const KNOWN = ['ro', 'nosuid', 'nodev', 'noexec', 'nodiratime', 'relatime', 'lazytime', 'nosymfollow', ...FIXED]

/** `words` over what the mount has now; where they are `isWhole`, only what is fixed stays. @throws UsageError */
function wanted(mount: Mount, words: readonly string[], { isWhole, isSloppy }: RemountSettings): MountOptions {
  const kept: readonly string[] = isWhole ? FIXED : KNOWN
  const now = [...mount.options, ...mount.shared].filter(word => kept.includes(word))
  const given = words.filter(word => !OF_KERNEL.test(word)).map(word => word.replace(/[,\\]/g, '\\$&'))
  const options = parseMountOptions([now.join(','), ...given], isSloppy)
  for (const name of FIXED)
    if (options.mountFlags.has(name) !== now.includes(name))
      throw new UsageError(
        `-o remount: ${name} stays as it was when the volume was mounted; unmount it and mount it again`,
      )
  return options
}

/** @throws Hn4Error where the daemon would refuse every write all the same, or nobody answers */
async function checkWritable(mount: Mount): Promise<void> {
  const { state, why } = await ask(placeOf(mount), status, {})
  if (state === 'writing') return
  const text = state === 'read-only' ? 'the image was opened for reading only' : `it has stopped writing: ${why ?? ''}`
  throw new Hn4Error('BUSY', { path: mount.at, text, hint: 'unmount it and mount it again' })
}

/** Everything that was done in the mount becomes durable: the kernel's own way does not reach an image file. */
const makeDurable = async (mount: Mount): Promise<object> => await ask(placeOf(mount), sync, {})

/** Changes the flags of the mount at `dir`. */
export async function remount(
  ctx: Context,
  dir: string,
  lists: readonly string[],
  settings: RemountSettings = {},
): Promise<number> {
  const mount = findMount(dir)
  const options = wanted(mount, lists.flatMap(splitOptions), settings)
  const wasReadOnly = mount.options.includes('ro') || mount.shared.includes('ro')
  if (wasReadOnly && !options.readOnly) await checkWritable(mount)
  if (settings.isFake) return MOUNT_EXIT.OK
  if (!wasReadOnly && options.readOnly) await makeDurable(mount)
  const failure = addon().remountPath(mount.at, options.readOnly, [...options.mountFlags])
  if (failure?.code === 'EBUSY')
    throw new Hn4Error('BUSY', {
      path: mount.at,
      text: `files are open for writing, by one of ${processList(usersOf(mount))}`,
    })
  if (failure !== undefined) throw errorOf(failure, mount.at)
  // What was written between the two.
  if (!wasReadOnly && options.readOnly) await makeDurable(mount)
  if (ctx.isVerbose)
    ctx.print(printable(`${mount.at} is mounted ${options.readOnly ? 'read-only' : 'for writing'} now`))
  return MOUNT_EXIT.OK
}
