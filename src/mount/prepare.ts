/** Everything that can be said about a mount before it is tried. */
import { Hn4Error } from '../base/error.ts'
import { accessSync, constants, readFileSync, realpathSync, stat, statSync } from '../base/host-files.ts'
import type { Context } from '../console/context.ts'
import { UsageError } from '../console/failure.ts'
import { lockHolder } from '../device/in-use.ts'
import { isHn4Mount, type Mount, mountAt, mounts, resolveMountpoint } from '../device/mount-table.ts'
import { openError, refuseStrange } from '../device/refusal.ts'
import { addon } from '../native/addon.ts'
import { errorOf } from '../native/failure.ts'
import type { MountRequest } from '../native/mount.ts'
import { examineNeeded, mountObstacle } from './machine.ts'
import { copiesOfImage, copiesText, isHeld } from './namespaces.ts'
import type { MountOptions } from './options.ts'

const isRoot = () => process.getuid?.() === 0

/** Throws what keeps this machine from mounting, as one sentence with what to do. */
function checkMachine(): void {
  addon()
  const obstacle = mountObstacle(examineNeeded())
  if (obstacle === undefined) return
  throw new Hn4Error('UNSUPPORTED', { text: obstacle.advice ?? `${obstacle.name}: ${obstacle.found}` })
}

function allowOther(options: MountOptions): boolean {
  if (isRoot()) return options.allowOther ?? true
  if (options.allowOther !== true) return false
  let conf = ''
  try {
    conf = readFileSync('/etc/fuse.conf', 'utf8')
  } catch {
    // Absent: then it is not allowed.
  }
  if (/^\s*user_allow_other\s*$/m.test(conf)) return true
  throw new UsageError('-o allow_other: root has to add the line user_allow_other to /etc/fuse.conf')
}

/** True if the directory's mount answers, or does not within 5 s (it may be busy); false if it is dead. */
async function isMountAlive(path: string): Promise<boolean> {
  const answer = stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOTCONN',
  )
  const patience = new Promise<boolean>(done => setTimeout(() => done(true), 5000).unref())
  return await Promise.race([answer, patience])
}

/** Takes off a mount of ours whose daemon has died, and says so. A dead mount of another kind is an error. */
async function clearDead(ctx: Context, path: string): Promise<void> {
  const mount = mountAt(path)
  if (mount === undefined || (await isMountAlive(path))) return
  if (!isHn4Mount(mount)) {
    throw new Hn4Error('BUSY', {
      path,
      text: `a dead mount of type ${mount.type} is in the way`,
      hint: `umount ${path}`,
    })
  }
  // Looked for before: with its last mount a device number is free for another one.
  const copies = mounts().filter(({ id, device }) => device === mount.device && id !== mount.id)
  const failure = addon().unmountPath(path, true)
  if (failure !== undefined) throw errorOf(failure, path)
  ctx.note(`took off the dead mount of ${mount.source} at ${path}`)
  clearCopies(ctx, copies)
}

/** Bind copies of a dead mount are as dead. One that this user may not take off is named. */
function clearCopies(ctx: Context, copies: readonly Mount[]): void {
  for (const { id, at } of copies) {
    // Something else may be mounted over it.
    if (mountAt(at)?.id !== id) continue
    const failure = addon().unmountPath(at, true)
    if (failure === undefined) ctx.note(`took off its copy at ${at}`)
    else ctx.note(`its copy at ${at} is left: ${failure.text}`)
  }
}

async function checkMountpoint(ctx: Context, given: string): Promise<string> {
  // Resolved, it would be the folder that the caller stands in.
  if (given === '') throw new UsageError('an empty directory name')
  const path = resolveMountpoint(given)
  await clearDead(ctx, path)
  if (!statSync(path).isDirectory()) throw new Hn4Error('NOT_DIRECTORY', { path: given })
  return path
}

const { R_OK, W_OK } = constants

/** Why the image cannot be opened, by the system's code. Other codes are better said by the open itself. */
const CLOSED: Readonly<Record<string, string>> = {
  EACCES: 'no permission to {do} the image',
  EPERM: 'the image is immutable (chattr +i)',
  EROFS: 'the image lies on a read-only filesystem',
}

function whyClosed(path: string, mode: number): string | undefined {
  try {
    accessSync(path, mode)
    return undefined
  } catch (error) {
    return CLOSED[(error as NodeJS.ErrnoException).code ?? '']
  }
}

/** Throws, with what to do, where this user may not open the image as asked. */
function checkAccess(image: string, path: string, isReadOnly: boolean): void {
  const why = whyClosed(path, isReadOnly ? R_OK : R_OK | W_OK)
  if (why === undefined) return
  const hint = isReadOnly || whyClosed(path, R_OK) !== undefined ? {} : { hint: 'it can be read: mount it with -o ro' }
  throw new Hn4Error('ACCESS', { path: image, text: why.replace('{do}', isReadOnly ? 'read' : 'write'), ...hint })
}

/**
 * A daemon whose mount was taken off here, and that serves a copy of it in another namespace, still holds the image;
 * the lock would name the daemon, which nobody looks for. @throws Hn4Error BUSY
 */
function refuseCopies(image: string, path: string, isReadOnly: boolean): void {
  const isLocked = lockHolder(statSync(path, { bigint: true }), isReadOnly) !== null
  if (!isLocked || mounts().some(mount => isHn4Mount(mount) && mount.source === path)) return
  const held = copiesOfImage(path)
  if (!isHeld(held)) return
  const text = `unmounted here, but still ${copiesText(held)}`
  throw new Hn4Error('BUSY', { path: image, text, hint: 'end them, or unmount it there' })
}

/** Absolute, without links. @throws Hn4Error for a link that leads nowhere, a terminal, a pipe */
function realImage(image: string): string {
  try {
    refuseStrange(image)
    return realpathSync(image)
  } catch (error) {
    // The command line is right: the mount failed.
    if (error instanceof Hn4Error) throw new Hn4Error('NOT_HN4', error.detail, { cause: error })
    throw openError(image, error)
  }
}

/** What the addon is asked to mount. Throws what is wrong with the image's name, the directory or the machine. */
export async function prepare(ctx: Context, image: string, dir: string, options: MountOptions): Promise<MountRequest> {
  if (image === '') throw new UsageError('an empty image name')
  const allow = allowOther(options)
  if (!isRoot() && options.mountFlags.has('nosymfollow'))
    throw new UsageError('-o nosymfollow: fusermount3 does not know it; only root can mount so')
  const path = realImage(image)
  const target = statSync(path)
  if (target.isDirectory()) throw new Hn4Error('IS_DIRECTORY', { path: image })
  checkAccess(image, path, options.readOnly)
  checkMachine()
  refuseCopies(image, path, options.readOnly)
  return {
    image: path,
    mountpoint: await checkMountpoint(ctx, dir),
    readOnly: options.readOnly,
    rescue: options.rescue,
    // fuseblk belongs to root; a user's mount of a block device is a plain one.
    blockDevice: target.isBlockDevice() && isRoot(),
    noatime: options.noatime,
    discard: options.discard,
    allowOther: allow,
    defaultPermissions: true,
    autoUnmount: options.autoUnmount,
    writeBack: options.writeBack,
    mountFlags: [...options.mountFlags],
    threads: options.threads,
    transport: options.transport,
  }
}
