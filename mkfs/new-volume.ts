/**
 * The bytes of an empty volume (docs/format.md section 9): a list of writes, computed without
 * touching a device. write-volume.ts puts them there in the order that survives a crash.
 */
import { type BlockNumber, blockNumber, type CopyPage } from '../src/base/units.ts'
import { encodeCheckpoint } from '../src/format/checkpoint.ts'
import { constant, flag } from '../src/format/constants.ts'
import { cortexBuckets } from '../src/format/cortex.ts'
import {
  checkpointPlaces,
  type Geometry,
  pageInCopy,
  type RegionName,
  regionNumber,
  superblockPlaces,
} from '../src/format/geometry.ts'
import { PAGE_PAYLOAD } from '../src/format/layout.ts'
import { changeBits, encodePage } from '../src/format/page.ts'
import { sipKey } from '../src/format/siphash.ts'
import { emptyAnchor, emptyAttributes, encodeSlot, FILE_TYPES, seedIdBytes } from '../src/format/slot.ts'
import { encodeSuperblock, type Identity, newSuperblock } from '../src/format/superblock.ts'

/** Directories every volume starts with: number and mode, in the order they take their slots. */
const SYSTEM_DIRECTORIES = [
  [constant('INO_ROOT'), 0o755],
  [constant('INO_ORPHANS'), 0o700],
  [constant('INO_PUBLIC_IDS'), 0o700],
] as const
/** mkfs is the volume's transaction 1; the first mount goes on with 2. */
const MKFS_TXN = 1n
const NS = 1_000_000_000n

export interface BlockWrite {
  readonly block: BlockNumber
  readonly bytes: Uint8Array
}

/** Who owns the root directory; the other system directories belong to uid and gid 0. */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

export const SUPERUSER: Owner = { uid: 0, gid: 0 }

/** The slot of an empty directory. */
function directorySlot(number: number, mode: number, { uid, gid }: Owner, createdNs: bigint): Uint8Array {
  return encodeSlot(
    {
      ...emptyAnchor(),
      number: BigInt(number),
      public_id: seedIdBytes(BigInt(number), 0, 0),
      permissions: (FILE_TYPES.directory << 12) | mode,
      mod_clock: createdNs,
      write_gen: Number(MKFS_TXN),
      create_clock: Number(BigInt.asUintN(32, createdNs / NS)),
    },
    {
      ...emptyAttributes(),
      uid,
      gid,
      nlink: 2,
      atime: createdNs,
      ctime: createdNs,
      btime_ns: Number(createdNs % NS),
      parent_number: BigInt(number),
    },
  )
}

/** Payloads of the cortex pages with the system directories, by page number. */
function cortexPages(g: Geometry, id: Identity, owner: Owner): Map<number, Uint8Array> {
  const key = sipKey(id.hashKey)
  const pages = new Map<number, Uint8Array>()
  const used = new Map<number, number>()
  for (const [number, mode] of SYSTEM_DIRECTORIES) {
    const { first } = cortexBuckets(key, number, 0, g.pages.CORTEX)
    const page = pages.get(first) ?? new Uint8Array(PAGE_PAYLOAD)
    const slot = used.get(first) ?? 0
    const holder = number === constant('INO_ROOT') ? owner : SUPERUSER
    page.set(directorySlot(number, mode, holder, id.createdNs), slot * constant('SLOT_SIZE'))
    pages.set(first, page)
    used.set(first, slot + 1)
  }
  return pages
}

/** The initialised map of one copy: all its pages, and the cortex pages that are written. */
export function metadataWrites(g: Geometry, id: Identity, owner: Owner = SUPERUSER): BlockWrite[] {
  const cortex = cortexPages(g, id, owner)
  const perPage = constant('MAP_BITS_PER_PAGE')
  const init = Array.from({ length: g.pages.INIT }, () => new Uint8Array(PAGE_PAYLOAD))
  for (const page of cortex.keys()) {
    const bit = pageInCopy(g, 'CORTEX', page)
    changeBits(init[Math.floor(bit / perPage)]!, bit % perPage, (bit % perPage) + 1, true)
  }
  const write = (region: RegionName, page: number, payload: Uint8Array): readonly [CopyPage, Uint8Array] => {
    const place = { region: regionNumber(region), page, salt: id.salt }
    return [pageInCopy(g, region, page), encodePage(place, { payload, txn: MKFS_TXN })]
  }
  const pages = [
    ...init.map((payload, page) => write('INIT', page, payload)),
    ...[...cortex].map(([page, payload]) => write('CORTEX', page, payload)),
  ]
  const copies = g.copyB === 0 ? [g.copyA] : [g.copyA, g.copyB]
  return copies.flatMap(start => pages.map(([page, bytes]) => ({ block: blockNumber(start + page), bytes })))
}

/** The checkpoint block of a closed, empty volume: generation 1, so it stands in slot 1, at the head and at the tail. */
export function checkpointWrites(g: Geometry, id: Identity): BlockWrite[] {
  const bytes = encodeCheckpoint({
    magic: constant('CHECKPOINT_MAGIC'),
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
    crc: 0,
  })
  return checkpointPlaces(g, 1).map(block => ({ block, bytes }))
}

export function superblockWrites(g: Geometry, id: Identity): BlockWrite[] {
  return superblockPlaces(g.blockCount).map((block, position) => ({
    block,
    bytes: encodeSuperblock(newSuperblock(g, id, position)),
  }))
}
