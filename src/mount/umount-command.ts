/** `hn4 umount`: unmounts and waits until the daemon has finished, so that the image is complete. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Hn4Error } from '../base/error.ts'
import { realpathSync } from '../base/host-files.ts'
import { printable } from '../base/printable.ts'
import type { Command } from '../console/command.ts'
import type { Context } from '../console/context.ts'
import { MOUNT_EXIT } from '../console/exit-codes.ts'
import { failureLine, failureOf, UsageError } from '../console/failure.ts'
import { isHn4Mount, type Mount, mountAt, mounts, resolveMountpoint } from '../device/mount-table.ts'
import { addon } from '../native/addon.ts'
import { errorOf } from '../native/failure.ts'
import { Volume } from '../reader/volume.ts'
import { type End, LastWords } from './last-words.ts'
import { type Copies, copiesOf, copiesText, isHeld } from './namespaces.ts'
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

/** How long it waits for those who hold copies of the mount: they have to be ended by somebody. */
const COPIES_MS = 5000
const SAY_EVERY_MS = 30_000
/** Between the two signals that force an end, well below the daemon's two seconds. */
const FORCE_PAUSE_MS = 300

/**
 * Waits until the daemon has ended. Says now and then that it still waits, for a large commit to a slow disk may
 * take its time. @throws Hn4Error BUSY while the filesystem is mounted elsewhere
 */
async function waitForEnd(ctx: Context, mount: Mount, daemon: Process): Promise<void> {
  let pauseMs = 1
  let waitedMs = 0
  let saidMs = 0
  let isLooked = false
  while (isAlive(daemon)) {
    await sleep(pauseMs)
    waitedMs += pauseMs
    pauseMs = Math.min(50, pauseMs * 2)
    const isLate = waitedMs >= COPIES_MS && !isLooked
    if (isLate || waitedMs - saidMs > SAY_EVERY_MS) {
      isLooked = true
      const held = copiesOf(mount)
      if (isHeld(held) && isAlive(daemon)) throw stillHeld(mount, held, daemon)
    }
    if (waitedMs - saidMs <= SAY_EVERY_MS) continue
    saidMs = waitedMs
    ctx.note(`waiting for process ${daemon.pid} to write everything`)
  }
}

const stillHeld = (mount: Mount, held: Copies, daemon: Process): Hn4Error =>
  new Hn4Error('BUSY', {
    path: mount.source,
    text: `unmounted here, but still ${copiesText(held)}; process ${daemon.pid} serves it`,
    hint: `end them, or unmount it there, or close it under them: kill ${daemon.pid}, twice within 2 s`,
  })

function busy(mount: Mount): Hn4Error {
  const users = usersOf(mount)
  const who = users.length === 0 ? '' : ` by ${processList(users)}`
  return new Hn4Error('BUSY', { path: mount.at, text: `in use${who}`, hint: 'end them, or hn4 umount -l or -f' })
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

/** Says what is to be said about the image when the process that served it has ended; the exit code. */
function sayHowItEnded(ctx: Context, mount: Mount, end: End | undefined): number {
  const isLeft = stoppedEarly(mount)
  if (end?.is === 'clean' || (end === undefined && !isLeft)) return MOUNT_EXIT.OK
  const why = {
    failed: 'unmounted, but it had stopped writing; ',
    silent: 'unmounted, but the process that served it was killed; ',
  }
  const known = end === undefined ? why.failed : end.is === 'failed' ? `${why.failed}${end.text}; ` : why.silent
  const advice = isLeft ? 'what was synced is there when it is mounted again' : 'look at the image before you use it'
  ctx.note(`${mount.source}: ${known}${advice}`)
  return MOUNT_EXIT.FAILED
}

/** Ends the programs' use of it: the daemon closes the volume under them, with everything they wrote. */
async function force(daemon: Process): Promise<void> {
  try {
    process.kill(daemon.pid, 'SIGTERM')
    // The daemon takes two that arrive together for one.
    await sleep(FORCE_PAUSE_MS)
    if (isAlive(daemon)) process.kill(daemon.pid, 'SIGTERM')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function run(ctx: Context): Promise<number> {
  const isAll = ctx.options.flag('all')
  const given = ctx.args[0]
  if (isAll && given !== undefined) throw new UsageError('-a and a directory exclude each other')
  if (!isAll && given === undefined) throw new UsageError('missing argument DIR')
  if (ctx.options.flag('force') && ctx.options.flag('lazy')) throw new UsageError('-f and -l exclude each other')
  // The later ones first, for they may lie in the earlier.
  const found = given === undefined ? mounts().filter(isHn4Mount).toReversed() : [findMount(given)]
  // Standing in the mount it would be in its own way.
  process.chdir('/')
  let exit = 0
  for (const mount of found) exit |= await unmount(ctx, mount, isAll)
  return exit
}

/** `isAll`: what does not work is said, and the next one is tried. */
async function unmount(ctx: Context, mount: Mount, isAll: boolean): Promise<number> {
  try {
    return await unmountOne(ctx, mount)
  } catch (error) {
    if (!isAll || !(error instanceof Hn4Error)) throw error
    const failure = failureOf(error, 'mount')
    ctx.io.stderr.write(`${failureLine(ctx.tool, failure)}\n`)
    return failure.exit
  }
}

async function unmountOne(ctx: Context, mount: Mount): Promise<number> {
  const daemon = daemonOf(mount)
  const words = daemon === undefined ? undefined : LastWords.of(daemon)
  const isLazy = ctx.options.flag('lazy')
  const isUsed = isLazy && usersOf(mount).length > 0
  const failure = addon().unmountPath(mount.at, isLazy)
  if (failure?.code === 'EBUSY' && ctx.options.flag('force') && daemon !== undefined) await force(daemon)
  else if (failure?.code === 'EBUSY') throw busy(mount)
  else if (failure !== undefined) throw errorOf(failure, mount.at)
  if (isUsed) ctx.note(`${mount.source} stays open until the programs that use it close their files`)
  else if (daemon !== undefined) {
    await waitForEnd(ctx, mount, daemon)
    const exit = sayHowItEnded(ctx, mount, words?.read())
    if (exit !== MOUNT_EXIT.OK) return exit
  } else if (stoppedEarly(mount)) {
    ctx.note(`${mount.source}: the process that served it had ended; what was synced is there when it is mounted again`)
  }
  if (ctx.isVerbose) ctx.print(printable(`${mount.at} unmounted`))
  return MOUNT_EXIT.OK
}

export const umount: Command = {
  name: 'umount',
  summary: 'unmount a volume and wait until the image is complete',
  description: [
    'When it returns, everything is written and the process that served the mount has ended. While programs use the ' +
      'mount it is refused, and they are named; --lazy takes the mount off the tree at once, and it ends when they ' +
      'close their files. A volume that had stopped writing (a failed write, an image that was cut, deleted or ' +
      'overwritten) is unmounted all the same, with a line and exit code 32.',
    'Where another mount namespace (a container, unshare -m) holds a copy of the mount, or it is mounted in a second ' +
      'directory, the volume ends with the last copy: after some seconds this is said, with the processes, and the exit ' +
      'code is 32.',
  ],
  exits: 'mount',
  without: ['json', 'raw', 'iec', 'si', 'color'],
  arguments: [{ name: 'DIR', summary: 'where it is mounted, or the image', optional: true }],
  options: [
    { name: 'lazy', short: 'l', kind: 'flag', summary: 'off the tree now, ended when nobody uses it' },
    { name: 'force', short: 'f', kind: 'flag', summary: 'take it away from the programs that use it; nothing is lost' },
    { name: 'all', short: 'a', kind: 'flag', summary: 'all mounted hn4 volumes' },
  ],
  examples: [
    { line: 'hn4 umount /mnt', meaning: 'unmount; disk.img can be copied afterwards' },
    { line: 'hn4 umount disk.img', meaning: 'the same by the name of the image' },
    { line: 'hn4 umount -l /mnt', meaning: 'although a program stands in it' },
  ],
  run,
}
