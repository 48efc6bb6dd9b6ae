/**
 * The bytes of an empty volume (docs/format.md section 9): a list of writes, computed without
 * touching a device. write-volume.ts puts them there in the order that survives a crash.
 */
import { constant, flag } from '../src/format/constants.ts'
import { type Geometry, pageInCopy, type RegionName, superblockPlaces } from '../src/format/geometry.ts'
import { PAGE_PAYLOAD } from '../src/format/layout.ts'
import { changeBits } from '../src/format/page.ts'
import { sipKey } from '../src/format/siphash.ts'
import { emptyAnchor, emptyAttributes, encodeSlot, FILE_TYPES, SLOT_SIZE, seedIdBytes } from '../src/format/slot.ts'
import { encodeSuperblock, type Identity, newSuperblock } from '../src/format/superblock.ts'
import { checkpointWrites, pageWrites } from '../src/writer/pages.ts'
import type { BlockWrite } from '../src/writer/sink.ts'
import { SlotTable } from '../src/writer/slots.ts'

/** Directories every volume starts with: number and mode, in the order they take their slots. */
const SYSTEM_DIRECTORIES = [
  [constant('INO_ROOT'), 0o755],
  [constant('INO_ORPHANS'), 0o700],
  [constant('INO_PUBLIC_IDS'), 0o700],
] as const
/** mkfs is the volume's transaction 1; the first mount goes on with 2. */
const MKFS_TXN = 1n
const NS = 1_000_000_000n

/** Who owns the root directory; the other system directories belong to uid and gid 0. */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

export const SUPERUSER: Owner = { uid: 0, gid: 0 }

/** A time as a birth time is stored, in 32 bits of seconds; what does not fit becomes the nearest that does. */
export function birthTime(ns: bigint): [seconds: number, nanoseconds: number] {
  if (ns < 0n) return [0, 0]
  return ns / NS > 0xffff_ffffn ? [0xffff_ffff, 999_999_999] : [Number(ns / NS), Number(ns % NS)]
}

/** The slot of an empty directory. */
function directorySlot(number: number, mode: number, { uid, gid }: Owner, createdNs: bigint): Uint8Array {
  const [birthSeconds, birthNs] = birthTime(createdNs)
  return encodeSlot(
    {
      ...emptyAnchor(),
      number: BigInt(number),
      public_id: seedIdBytes(BigInt(number), 0, 0),
      permissions: (FILE_TYPES.directory << 12) | mode,
      mod_clock: createdNs,
      write_gen: Number(MKFS_TXN),
      create_clock: birthSeconds,
    },
    {
      ...emptyAttributes(),
      uid,
      gid,
      nlink: 2,
      atime: createdNs,
      ctime: createdNs,
      btime_ns: birthNs,
      parent_number: BigInt(number),
    },
  )
}

/** Payloads of the cortex pages with the system directories, by page number. */
function cortexPages(g: Geometry, id: Identity, owner: Owner): Map<number, Uint8Array> {
  const slots = new SlotTable(sipKey(id.hashKey), g.pages.CORTEX)
  const pages = new Map<number, Uint8Array>()
  for (const [number, mode] of SYSTEM_DIRECTORIES) {
    const { page, slot } = slots.slotOf(number, 0)!
    const payload = pages.get(page) ?? new Uint8Array(PAGE_PAYLOAD)
    const holder = number === constant('INO_ROOT') ? owner : SUPERUSER
    payload.set(directorySlot(number, mode, holder, id.createdNs), slot * SLOT_SIZE)
    pages.set(page, payload)
  }
  return pages
}

/** The initialised map, all its pages, and the cortex pages with the system directories; in every copy. */
export function metadataWrites(g: Geometry, id: Identity, owner: Owner = SUPERUSER): BlockWrite[] {
  const cortex = cortexPages(g, id, owner)
  const init = Array.from({ length: g.pages.INIT }, () => new Uint8Array(PAGE_PAYLOAD))
  const perPage = constant('MAP_BITS_PER_PAGE')
  for (const page of cortex.keys()) {
    const bit = pageInCopy(g, 'CORTEX', page)
    changeBits(init[Math.floor(bit / perPage)]!, bit % perPage, (bit % perPage) + 1, true)
  }
  const inCopies = (region: RegionName, page: number, payload: Uint8Array): BlockWrite[] =>
    pageWrites(g, id.salt, region, page, { payload, txn: MKFS_TXN })
  return [
    ...init.flatMap((payload, page) => inCopies('INIT', page, payload)),
    ...[...cortex].flatMap(([page, payload]) => inCopies('CORTEX', page, payload)),
  ]
}

/** The checkpoint block of a closed, empty volume: generation 1. */
export function closedCheckpoint(g: Geometry, id: Identity): BlockWrite[] {
  return checkpointWrites(g, {
    flags: flag('CHECKPOINT', 'CLEAN'),
    generation: 1n,
    salt: id.salt,
    epoch: 1n,
    epoch_txn: MKFS_TXN + 1n,
    tail: 0n,
    tail_txn: MKFS_TXN + 1n,
    tail_crc: 0,
    proven_txn: MKFS_TXN,
    next_number: BigInt(constant('INO_FIRST')),
    live_blocks: 0n,
    files: BigInt(SYSTEM_DIRECTORIES.length),
    units: 0n,
    tail_epoch: 1n,
  })
}

export function superblockWrites(g: Geometry, id: Identity): BlockWrite[] {
  return superblockPlaces(g.blockCount).map((block, position) => ({
    block,
    bytes: encodeSuperblock(newSuperblock(g, id, position)),
  }))
}
