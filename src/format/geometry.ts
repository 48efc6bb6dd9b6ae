/**
 * Where the parts of a volume lie, and the rules that a superblock's numbers must keep
 * (docs/format.md section 1). The plan of mkfs is in plan.ts.
 */
import { Hn4Error } from '../base/error.ts'
import {
  type BlockNumber,
  blockNumber,
  type CopyPage,
  copyPage,
  type DataNumber,
  dataNumber,
  type PageNumber,
  pageNumber,
} from '../base/units.ts'
import { constant } from './constants.ts'
import { PAGE_PAYLOAD, REGIONS } from './layout.ts'
import { isPrime, largestPrime } from './prime.ts'

export type RegionName = (typeof REGIONS)[number][0]

/** The superblock's numbers, in blocks and pages. */
export interface Geometry {
  readonly blockCount: number
  readonly logStart: BlockNumber
  readonly logBlocks: number
  readonly copyA: BlockNumber
  /** 0: the volume has one metadata copy. */
  readonly copyB: BlockNumber
  readonly windowStart: BlockNumber
  readonly windowBlocks: number
  readonly areaBlocks: number
  /** Pages of each region. */
  readonly pages: Readonly<Record<RegionName, number>>
  readonly stride: number
  readonly scale: number
  readonly reserveBlocks: number
  /** Bytes of a block descriptor. */
  readonly descriptorSize: number
  /** Descriptors of a page: as many as its payload holds whole. */
  readonly descriptorsPerPage: number
}

const BITS = constant('MAP_BITS_PER_PAGE')
/** Fewest and most blocks of a log; the upper limit bounds what a reader spends on a hostile one. */
export const LOG_BLOCKS_MIN = 256
export const LOG_BLOCKS_MAX = 65536
/** Fewest blocks of the window and of the overwrite area. */
export const WINDOW_BLOCKS_MIN = 1024
export const AREA_BLOCKS_MIN = 256

/** Pages of one metadata copy. */
export function copyPages(g: Geometry): number {
  return REGIONS.reduce((sum, [name]) => sum + g.pages[name], 0)
}

/** Descriptors of `size` bytes that a page holds: 126 of 32. */
export function descriptorsPerPage(size: number): number {
  return Math.floor(PAGE_PAYLOAD / size)
}

/** Data blocks: window and overwrite area. */
export function dataBlocks(g: Geometry): number {
  return g.windowBlocks + g.areaBlocks
}

/** First page of a region, counted from the start of the copy. */
export function regionStart(g: Geometry, region: RegionName): number {
  let at = 0
  for (const [name] of REGIONS) {
    if (name === region) return at
    at += g.pages[name]
  }
  throw new TypeError(`no region ${region}`)
}

/** Number of a region in the page trailer. */
export function regionNumber(region: RegionName): number {
  return REGIONS.find(([name]) => name === region)![1]
}

/** The page of a copy that is page `page` of `region`. */
export function pageInCopy(g: Geometry, region: RegionName, page: number): CopyPage {
  if (!(page >= 0 && page < g.pages[region])) throw new RangeError(`page ${page} of ${region}`)
  return copyPage(regionStart(g, region) + page)
}

/** Region and page of a page of the copy. */
export function regionOfPage(g: Geometry, page: CopyPage): { region: RegionName; page: PageNumber } {
  let rest: number = page
  for (const [region] of REGIONS) {
    if (rest < g.pages[region]) return { region, page: pageNumber(rest) }
    rest -= g.pages[region]
  }
  throw new RangeError(`page ${page} of the copy`)
}

/** Ring of log records: blocks behind the two head checkpoint blocks. */
export function ringBlocks(g: Geometry): number {
  return g.logBlocks - constant('CHECKPOINT_SLOTS')
}

/** The blocks of the four superblock positions. */
export function superblockPlaces(blockCount: number): BlockNumber[] {
  return [0, 1, blockCount - 2, blockCount - 1].map(blockNumber)
}

/** The two places of checkpoint slot 0 or 1: head and tail. */
export function checkpointPlaces(g: Geometry, slot: number): BlockNumber[] {
  return [blockNumber(g.logStart + slot), blockNumber(g.blockCount - 4 + slot)]
}

export function dataOfBlock(g: Geometry, block: BlockNumber): DataNumber {
  return dataNumber(block - g.windowStart)
}

export function blockOfData(g: Geometry, data: DataNumber): BlockNumber {
  return blockNumber(data + g.windowStart)
}

/** phi(M): the largest prime number of clusters of 2^scale blocks in the window; 0: no such cluster size. */
export function phi(g: Pick<Geometry, 'windowBlocks'>, scale: number): number {
  return scale === 0 ? g.windowBlocks : largestPrime(Math.floor(g.windowBlocks / 2 ** scale))
}

/** What a superblock says that does not fit the format: the first broken rule. */
export function checkGeometry(g: Geometry, position: number): void {
  const broken = (field: string, found: number, rule: string): Hn4Error =>
    new Hn4Error('GEOMETRY', { position, field, found, rule })
  const must = (field: string, found: number, expected: number): void => {
    if (found !== expected) throw broken(field, found, `must be ${expected}`)
  }
  const least = (field: string, found: number, minimum: number): void => {
    if (found < minimum) throw broken(field, found, `must be at least ${minimum}`)
  }
  least('block_count', g.blockCount, constant('VOLUME_BLOCKS_MIN'))
  if (g.blockCount > constant('VOLUME_BLOCKS_MAX')) throw broken('block_count', g.blockCount, 'is too large')
  least('log_blocks', g.logBlocks, LOG_BLOCKS_MIN)
  if (g.logBlocks > LOG_BLOCKS_MAX) throw broken('log_blocks', g.logBlocks, `must be at most ${LOG_BLOCKS_MAX}`)
  least('window_blocks', g.windowBlocks, WINDOW_BLOCKS_MIN)
  least('area_blocks', g.areaBlocks, AREA_BLOCKS_MIN)
  least('extension_pages', g.pages.EXTENSION, 1)
  least('cortex_pages', g.pages.CORTEX, constant('NEIGHBOURHOOD_PAGES'))
  must('stash_pages', g.pages.STASH, constant('STASH_PAGES'))
  must('key_pages', g.pages.KEY, constant('KEY_PAGES'))
  must('scrub_pages', g.pages.SCRUB, constant('SCRUB_PAGES'))
  if (g.pages.CORTEX % constant('NEIGHBOURHOOD_PAGES') !== 0)
    throw broken('cortex_pages', g.pages.CORTEX, 'must be a multiple of 16')
  must('free_pages', g.pages.FREE, Math.ceil(dataBlocks(g) / BITS))
  must('descriptor_pages', g.pages.DESCRIPTOR, Math.ceil(dataBlocks(g) / g.descriptorsPerPage))
  must('unit_pages', g.pages.UNIT, Math.ceil((constant('UNITS_PER_PAGE') * g.pages.EXTENSION) / BITS))
  must('init_pages', g.pages.INIT, Math.ceil(copyPages(g) / BITS))
  checkPlaces(g, must)
  if (!isPrime(g.windowBlocks)) throw broken('window_blocks', g.windowBlocks, 'must be a prime number')
  if (g.scale > constant('SCALE_MAX')) throw broken('scale', g.scale, `must be at most ${constant('SCALE_MAX')}`)
  if (g.reserveBlocks >= g.windowBlocks) throw broken('reserve_blocks', g.reserveBlocks, 'must be less than the window')
  if (g.stride < 1 || g.stride >= phi(g, g.scale)) throw broken('stride', g.stride, 'must be from 1 to phi - 1')
}

/** The parts lie in their order, without gaps. */
function checkPlaces(g: Geometry, must: (field: string, found: number, expected: number) => void): void {
  const slots = constant('SUPERBLOCK_SLOTS')
  must('log_start', g.logStart, slots)
  must('copy_a', g.copyA, slots + g.logBlocks)
  must('window_start', g.windowStart, g.copyA + copyPages(g))
  const behind = g.windowStart + dataBlocks(g)
  if (g.copyB !== 0) must('copy_b', g.copyB, behind)
  const end = behind + (g.copyB === 0 ? 0 : copyPages(g)) + constant('CHECKPOINT_SLOTS') + slots
  must('block_count', g.blockCount, end)
}
