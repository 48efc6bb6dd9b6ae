/** mkfs as a library: plans a volume, refuses what must not be overwritten, writes it. */
import { spawnSync } from 'node:child_process'
import { isZero } from '../src/base/bytes.ts'
import { Hn4Error, ioError } from '../src/base/error.ts'
import {
  closeSync,
  constants,
  existsSync,
  ftruncateSync,
  openSync,
  readSync,
  realpathSync,
  rmSync,
  statSync,
} from '../src/base/host-files.ts'
import { usedBesides, usedBy } from '../src/device/in-use.ts'
import { openError, refuseStrange } from '../src/device/refusal.ts'
import { contentOf } from '../src/device/signatures.ts'
import { sizeOfTarget } from '../src/device/size.ts'
import { constant } from '../src/format/constants.ts'
import { checkGeometry, type Geometry } from '../src/format/geometry.ts'
import { type PlanOptions, planGeometry } from '../src/format/plan.ts'
import type { Identity } from '../src/format/superblock.ts'
import { addon } from '../src/native/addon.ts'
import { errorOf } from '../src/native/failure.ts'
import type { ImageLock } from '../src/native/lock.ts'
import { lockImage } from '../src/native/locking.ts'
import { FileSink } from '../src/writer/sink.ts'
import { type IdentityOptions, makeIdentity } from './identity.ts'
import { type Owner, SUPERUSER } from './new-volume.ts'
import { writeVolume } from './write-volume.ts'

export interface MakeOptions extends PlanOptions, IdentityOptions {
  readonly path: string
  /** Bytes of the volume; without it the image must exist and is taken whole. */
  readonly sizeBytes?: number | undefined
  /** Of the root directory. Default: uid and gid 0. */
  readonly rootOwner?: Owner | undefined
  /** Overwrite what the image holds. Never overrides "in use". */
  readonly force?: boolean
  /** Give the old blocks of the image back before writing. Default true. */
  readonly discard?: boolean
  /** Give an image file all its blocks at once, so that the host cannot be full later. */
  readonly preallocate?: boolean | undefined
  /** Compute and check everything, write nothing. */
  readonly dryRun?: boolean
}

export interface MadeVolume {
  readonly path: string
  readonly geometry: Geometry
  readonly identity: Identity
  readonly isBlockDevice: boolean
  readonly rootOwner: Owner
}

const BLOCK = constant('BLOCK_SIZE')
/** Bytes at either end that must be zero for an image to count as unused. */
const EDGE_BYTES = 1 << 20

/** @throws Hn4Error; nothing was changed then, unless a write itself failed. */
export function makeVolume(options: MakeOptions): MadeVolume {
  if (options.path === '') throw new Hn4Error('ARGUMENT', { text: 'an empty image name' })
  const identity = makeIdentity(options)
  return existsSync(options.path) ? makeOnExisting(options, identity) : makeNew(options, identity)
}

function plan(options: MakeOptions, bytes: number): Geometry {
  const geometry = planGeometry(Math.floor(bytes / BLOCK), options, options.path)
  checkGeometry(geometry, 0)
  return geometry
}

function makeNew(options: MakeOptions, identity: Identity): MadeVolume {
  const { path, sizeBytes } = options
  if (sizeBytes === undefined) {
    throw new Hn4Error('NOT_FOUND', { path, text: 'does not exist and no size was given', hint: 'give a size: 4G' })
  }
  const geometry = plan(options, sizeBytes)
  const rootOwner = options.rootOwner ?? SUPERUSER
  const made = { path, geometry, identity, isBlockDevice: false, rootOwner }
  if (options.dryRun) return made
  const fd = open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL)
  const lock = lockImage(fd, path, true)
  try {
    resize(fd, path, sizeBytes)
    if (options.preallocate) allocate(fd, path, sizeBytes)
    writeVolume(new FileSink(fd, path), geometry, identity, geometry.blockCount, rootOwner)
  } catch (error) {
    rmSync(path)
    throw error
  } finally {
    lock?.release()
    closeSync(fd)
  }
  return made
}

const busy = (options: MakeOptions, user: string): Hn4Error =>
  new Hn4Error('BUSY', { path: options.path, text: `in use: ${user}` })

function makeOnExisting(options: MakeOptions, identity: Identity): MadeVolume {
  refuseStrange(options.path)
  const path = realpathSync(options.path)
  const stat = statSync(path, { bigint: true })
  const user = usedBy(path, stat)
  if (user !== null) throw busy(options, user)
  // On a block device O_EXCL also fails while the kernel uses it in a way no table shows (a RAID, a mapping).
  const exclusive = stat.isBlockDevice() && !options.dryRun ? constants.O_EXCL : 0
  const fd = open(path, (options.dryRun ? constants.O_RDONLY : constants.O_RDWR) | exclusive)
  let lock: ImageLock | null = null
  try {
    // Before the first look, until the last write: nobody mounts or checks it in between.
    lock = lockImage(fd, path, !options.dryRun)
    return overwrite(fd, path, options, identity)
  } finally {
    lock?.release()
    closeSync(fd)
  }
}

/** Plans, refuses and writes on what is open as `fd` and locked. */
function overwrite(fd: number, path: string, options: MakeOptions, identity: Identity): MadeVolume {
  const { bytes, isBlockDevice, stat } = sizeOfTarget(fd, options.path)
  const user = usedBesides(path, stat)
  if (user !== null) throw busy(options, user)
  const sizeBytes = chooseSize(options, bytes, isBlockDevice)
  if (options.preallocate && isBlockDevice)
    throw new Hn4Error('ARGUMENT', { path: options.path, text: '-E prealloc: a block device has all its blocks' })
  const geometry = plan(options, sizeBytes)
  if (!options.force) refuseContent(fd, path, bytes)
  const rootOwner = options.rootOwner ?? SUPERUSER
  const made = { path, geometry, identity, isBlockDevice, rootOwner }
  if (options.dryRun) return made
  if (options.discard !== false) discard(fd, path, isBlockDevice)
  if (!isBlockDevice) resize(fd, path, sizeBytes)
  if (options.preallocate) allocate(fd, path, sizeBytes)
  const deviceBlocks = isBlockDevice ? Math.floor(bytes / BLOCK) : geometry.blockCount
  writeVolume(new FileSink(fd, path), geometry, identity, deviceBlocks, rootOwner)
  return made
}

function chooseSize(options: MakeOptions, bytes: number, isBlockDevice: boolean): number {
  const wanted = options.sizeBytes ?? bytes
  if (isBlockDevice && wanted > bytes) {
    throw new Hn4Error('TOO_LARGE', {
      path: options.path,
      text: `the device has ${bytes} bytes, ${wanted} were asked for`,
    })
  }
  return wanted
}

function open(path: string, flags: number): number {
  try {
    return openSync(path, flags, 0o644)
  } catch (error) {
    throw openError(path, error)
  }
}

function resize(fd: number, path: string, bytes: number): void {
  try {
    ftruncateSync(fd, bytes)
  } catch (error) {
    throw ioError(path, `change of size to ${bytes} bytes`, error)
  }
}

function allocate(fd: number, path: string, bytes: number): void {
  const failure = addon().allocateFile(fd, bytes)
  if (failure !== undefined) throw errorOf(failure, path)
}

/** @throws Hn4Error HAS_CONTENT unless both ends of the image are zero; holes are */
function refuseContent(fd: number, path: string, bytes: number): void {
  const head = readUpTo(fd, path, 0, EDGE_BYTES)
  const tailAt = Math.max(0, bytes - EDGE_BYTES)
  const tail = readUpTo(fd, path, tailAt, EDGE_BYTES)
  if (isZero(head) && isZero(tail)) return
  // Superblocks count from the last whole block.
  const wholeTail = tail.subarray(0, Math.max(0, Math.floor(bytes / BLOCK) * BLOCK - tailAt))
  throw new Hn4Error('HAS_CONTENT', {
    path,
    what: contentOf(head, wholeTail, fd),
    hint: 'to overwrite it, use --force',
  })
}

function readUpTo(fd: number, path: string, at: number, length: number): Uint8Array {
  const buffer = new Uint8Array(length)
  let done = 0
  try {
    while (done < length) {
      const got = readSync(fd, buffer, done, length - done, at + done)
      if (got === 0) break
      done += got
    }
  } catch (error) {
    throw ioError(path, `read at byte ${at}`, error)
  }
  return buffer.subarray(0, done)
}

/** Best effort: a volume never relies on what discarded blocks read as. */
function discard(fd: number, path: string, isBlockDevice: boolean): void {
  const asFd3 = ['ignore', 'ignore', 'ignore', fd] as const
  // By its descriptor: Node cannot hand over a path that is not UTF-8.
  if (isBlockDevice) spawnSync('blkdiscard', ['--force', '/proc/self/fd/3'], { stdio: [...asFd3], timeout: 60_000 })
  else resize(fd, path, 0)
}
