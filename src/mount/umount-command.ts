/** `hn4 umount`: unmounts and waits until the daemon has finished, so that the image is complete. */
import { realpathSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Hn4Error } from '../base/error.ts'
import type { Command } from '../console/command.ts'
import type { Context } from '../console/context.ts'
import { MOUNT_EXIT } from '../console/exit-codes.ts'
import { UsageError } from '../console/failure.ts'
import { addon } from '../native/addon.ts'
import { errorOf } from '../native/failure.ts'
import { Volume } from '../reader/volume.ts'
import { isHn4Mount, type Mount, mountAt, mounts, resolveMountpoint } from './mount-table.ts'
import { daemonOf, isAlive, type Process, processList, usersOf } from './processes.ts'

/** The mount meant by a directory, or by the image that is mounted. */
export function findMount(given: string): Mount {
  if (given === '') throw new UsageError('an empty directory name')
  const path = resolveMountpoint(given)
  const found = mountAt(path) ?? mounts().findLast(mount => isHn4Mount(mount) && mount.source === realpathSync(path))
  if (found === undefined) throw new Hn4Error('NOT_FOUND', { path: given, text: 'not mounted' })
  if (isHn4Mount(found)) return found
  throw new Hn4Error('ARGUMENT', { path: given, text: `a mount of type ${found.type}`, hint: `umount ${given}` })
}

/** Says now and then that it still waits, for a large commit to a slow disk may take its time. */
async function waitForEnd(ctx: Context, daemon: Process): Promise<void> {
  let pauseMs = 1
  let waitedMs = 0
  while (isAlive(daemon)) {
    await sleep(pauseMs)
    waitedMs += pauseMs
    pauseMs = Math.min(50, pauseMs * 2)
    if (waitedMs > 30_000) {
      waitedMs = 0
      ctx.note(`waiting for process ${daemon.pid} to write everything`)
    }
  }
}

function busy(mount: Mount): Hn4Error {
  const users = usersOf(mount)
  const who = users.length === 0 ? '' : ` by ${processList(users)}`
  return new Hn4Error('BUSY', { path: mount.at, text: `in use${who}`, hint: 'end them, or hn4 umount -l' })
}

/** Whether a volume that was mounted for writing is not as its last writer should have left it. */
function stoppedEarly(mount: Mount): boolean {
  if (mount.options.includes('ro') || mounts().some(({ source }) => source === mount.source)) return false
  try {
    const volume = Volume.open(mount.source)
    try {
      return !volume.core.isClean
    } finally {
      volume.close()
    }
  } catch {
    // Moved, or not ours to read: nobody can say.
    return false
  }
}

async function run(ctx: Context): Promise<number> {
  const mount = findMount(ctx.arg(0))
  const daemon = daemonOf(mount)
  const isLazy = ctx.options.flag('lazy')
  const isUsed = isLazy && usersOf(mount).length > 0
  const failure = addon().unmountPath(mount.at, isLazy)
  if (failure?.code === 'EBUSY') throw busy(mount)
  if (failure !== undefined) throw errorOf(failure, mount.at)
  if (isUsed) ctx.note(`${mount.source} stays open until the programs that use it close their files`)
  else if (daemon !== undefined) {
    await waitForEnd(ctx, daemon)
    if (stoppedEarly(mount)) {
      ctx.note(
        `${mount.source}: unmounted, but it had stopped writing; what was synced is there when it is mounted again`,
      )
      return MOUNT_EXIT.FAILED
    }
  }
  if (ctx.isVerbose) ctx.print(`${mount.at} unmounted`)
  return MOUNT_EXIT.OK
}

export const umount: Command = {
  name: 'umount',
  summary: 'unmount a volume and wait until the image is complete',
  description: [
    'When it returns, everything is written and the process that served the mount has ended. While programs use the ' +
      'mount it is refused, and they are named; --lazy takes the mount off the tree at once, and it ends when they ' +
      'close their files. A volume that had stopped writing (a failed write) is unmounted all the same, with a line and ' +
      'exit code 32.',
  ],
  exits: 'mount',
  without: ['json', 'raw', 'iec', 'si', 'color'],
  arguments: [{ name: 'DIR', summary: 'where it is mounted, or the image' }],
  options: [{ name: 'lazy', short: 'l', kind: 'flag', summary: 'off the tree now, ended when nobody uses it' }],
  examples: [
    { line: 'hn4 umount /mnt', meaning: 'unmount; disk.img can be copied afterwards' },
    { line: 'hn4 umount disk.img', meaning: 'the same by the name of the image' },
    { line: 'hn4 umount -l /mnt', meaning: 'although a program stands in it' },
  ],
  run,
}
