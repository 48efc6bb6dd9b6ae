/** The sizes that mkfs chooses (docs/format.md section 9), and the smallest volume they fit in. */
import { Hn4Error } from '../base/error.ts'
import { blockNumber } from '../base/units.ts'
import { constant } from './constants.ts'
import { PLAIN_DESCRIPTOR_SIZE } from './descriptor.ts'
import { AREA_BLOCKS_MIN, descriptorsPerPage, type Geometry, phi, WINDOW_BLOCKS_MIN } from './geometry.ts'
import { largestPrime } from './prime.ts'

export interface PlanOptions {
  /** Anchors the cortex must hold; without it, a share of the volume. */
  readonly slots?: number | undefined
  /** Metadata copies: 2 (dup) or 1 (single). */
  readonly copies?: 1 | 2 | undefined
  /** V of new files. */
  readonly stride?: number | undefined
  /** M of new files. */
  readonly scale?: number | undefined
  /** Bytes of a block descriptor; without it, what plain blocks need. */
  readonly descriptorSize?: number | undefined
}

/** 4 MiB and 128 MiB. */
const LOG_CHOICE = [1024, 32768] as const
const AREA_BLOCKS_MAX = 262144
/** Volumes from here on (4 GiB) have a cortex of 1 %, below 1.5 %. */
const LARGE_VOLUME = 1048576
const BITS = constant('MAP_BITS_PER_PAGE')
/** Reserve of a volume: at least this many blocks. */
const RESERVE_MIN = 64

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high)
const perMille = (blocks: number, share: number): number => Math.ceil((blocks * share) / 1000)

/** Pages of each region but INIT for `data` data blocks, then INIT, whose size depends on all. */
function regionPages(data: number, perPage: number, cortex: number, extension: number): Geometry['pages'] {
  const pages = {
    INIT: 0,
    FREE: Math.ceil(data / BITS),
    UNIT: Math.ceil((constant('UNITS_PER_PAGE') * extension) / BITS),
    DESCRIPTOR: Math.ceil(data / perPage),
    CORTEX: cortex,
    STASH: constant('STASH_PAGES'),
    EXTENSION: extension,
    KEY: constant('KEY_PAGES'),
    SCRUB: constant('SCRUB_PAGES'),
  }
  const others = Object.values(pages).reduce((sum, n) => sum + n, 0)
  // INIT counts its own pages too; one correction is enough, for a map page describes 32256 pages.
  pages.INIT = Math.ceil(others / BITS)
  pages.INIT = Math.ceil((others + pages.INIT) / BITS)
  return pages
}

const total = (pages: Geometry['pages']): number => Object.values(pages).reduce((sum, n) => sum + n, 0)

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple
}

/** The plan for a volume of `blockCount` blocks; null if it is too small for what is asked. */
function tryPlan(blockCount: number, options: PlanOptions): Geometry | null {
  const copies = options.copies ?? 2
  const log = clamp(Math.floor(blockCount / 128), ...LOG_CHOICE)
  const neighbourhood = constant('NEIGHBOURHOOD_PAGES')
  const wanted =
    options.slots === undefined
      ? perMille(blockCount, blockCount < LARGE_VOLUME ? 15 : 10)
      : Math.ceil(options.slots / constant('SLOTS_PER_PAGE'))
  const cortex = Math.max(roundUp(wanted, neighbourhood), neighbourhood)
  const extension = perMille(blockCount, 8)
  const descriptorSize = options.descriptorSize ?? PLAIN_DESCRIPTOR_SIZE
  const pagesFor = (data: number): Geometry['pages'] =>
    regionPages(data, descriptorsPerPage(descriptorSize), cortex, extension)
  const fixed = 2 * constant('SUPERBLOCK_SLOTS') + constant('CHECKPOINT_SLOTS')
  const room = blockCount - fixed - log
  // The largest number of data blocks that fits beside its own metadata: the need grows with it.
  let low = 0
  let high = Math.max(room, 0)
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (middle + copies * total(pagesFor(middle)) <= room) low = middle
    else high = middle - 1
  }
  const data = low
  const areaLeast = clamp(Math.floor((blockCount * 4) / 1000), AREA_BLOCKS_MIN, AREA_BLOCKS_MAX)
  const pages = pagesFor(data)
  const window = largestPrime(data - areaLeast)
  if (window < WINDOW_BLOCKS_MIN) return null
  // One block more of data may need a page more in each copy: the one to four blocks that then remain go to the log.
  const logBlocks = log + room - data - copies * total(pages)
  const copyA = constant('SUPERBLOCK_SLOTS') + logBlocks
  const windowStart = copyA + total(pages)
  return {
    blockCount,
    logStart: blockNumber(constant('SUPERBLOCK_SLOTS')),
    logBlocks,
    copyA: blockNumber(copyA),
    copyB: blockNumber(copies === 2 ? windowStart + data : 0),
    windowStart: blockNumber(windowStart),
    windowBlocks: window,
    areaBlocks: data - window,
    pages,
    stride: options.stride ?? 1,
    scale: options.scale ?? 0,
    reserveBlocks: Math.max(RESERVE_MIN, Math.floor((window * 5) / 1000)),
    descriptorSize,
    descriptorsPerPage: descriptorsPerPage(descriptorSize),
  }
}

/** The smallest volume that holds what `options` ask for, blocks. */
export function minimumBlocks(options: PlanOptions = {}): number {
  let low = constant('VOLUME_BLOCKS_MIN')
  let high = low
  while (!tryPlan(high, options)) {
    if (high >= constant('VOLUME_BLOCKS_MAX')) return constant('VOLUME_BLOCKS_MAX')
    high = Math.min(high * 2, constant('VOLUME_BLOCKS_MAX'))
  }
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (tryPlan(middle, options)) high = middle
    else low = middle + 1
  }
  return high
}

/**
 * What mkfs chooses for a volume of `blockCount` blocks.
 * @throws Hn4Error TOO_SMALL, TOO_LARGE (`path` names the volume), ARGUMENT for a stride or scale that does not fit.
 */
export function planGeometry(blockCount: number, options: PlanOptions = {}, path = 'volume'): Geometry {
  if (blockCount > constant('VOLUME_BLOCKS_MAX')) throw tooLarge(path, blockCount)
  const plan = blockCount < constant('VOLUME_BLOCKS_MIN') ? null : tryPlan(blockCount, options)
  if (!plan) {
    const minimum = minimumBlocks(options) * constant('BLOCK_SIZE')
    throw new Hn4Error('TOO_SMALL', { path, minimum, text: 'too small: the minimum is {minimum} bytes' })
  }
  if (plan.scale > constant('SCALE_MAX'))
    throw new Hn4Error('ARGUMENT', { text: `scale: at most ${constant('SCALE_MAX')}` })
  const clusters = phi(plan, plan.scale)
  if (clusters < 2 || plan.stride < 1 || plan.stride >= clusters) {
    const text =
      clusters < 2
        ? `scale ${plan.scale}: too large for this volume`
        : `stride ${plan.stride}: with scale ${plan.scale} this volume takes 1 to ${clusters - 1}`
    throw new Hn4Error('ARGUMENT', { path, text })
  }
  return plan
}

function tooLarge(path: string, blockCount: number): Hn4Error {
  const maximum = BigInt(constant('VOLUME_BLOCKS_MAX')) * BigInt(constant('BLOCK_SIZE'))
  return new Hn4Error('TOO_LARGE', {
    path,
    blocks: blockCount,
    maximum,
    text: 'too large: the maximum is {maximum} bytes',
  })
}
