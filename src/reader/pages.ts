/**
 * Metadata pages as they stand after replay: copy A, else B, and what the log says on top.
 * A page that the initialised map does not name is empty, whatever the disk holds.
 */
import { isZero } from '../base/bytes.ts'
import { Hn4Error, isDamage, reasonOf } from '../base/error.ts'
import { type BlockNumber, blockNumber, type CopyPage } from '../base/units.ts'
import type { BlockSource } from '../device/image.ts'
import { constant } from '../format/constants.ts'
import {
  copyPages,
  type Geometry,
  pageInCopy,
  type RegionName,
  regionNumber,
  regionOfPage,
} from '../format/geometry.ts'
import { BLOCK_SIZE, PAGE_PAYLOAD } from '../format/layout.ts'
import { bitOf, decodePage, type Page } from '../format/page.ts'
import type { Overlay } from './overlay.ts'

export type CopyName = 'A' | 'B'

export interface LoadedPage {
  /** 4032 bytes. Shared: do not change. */
  readonly payload: Uint8Array
  /** Last transaction that changed it; 0 if it is empty. */
  readonly txn: bigint
  readonly from: CopyName | 'empty' | 'log'
}

/** A page as one copy holds it on the device, without the log. */
export interface PageCopy {
  readonly copy: CopyName
  readonly block: BlockNumber
  /** Null: it verifies. */
  readonly problem: string | null
  readonly page: Page | null
}

const BITS = constant('MAP_BITS_PER_PAGE')
const CACHE_PAGES = 4096
/** Pages read at once: neighbours are needed soon, in every walk over a region. */
const CHUNK_PAGES = 16
const CACHE_CHUNKS = 16

export class PageStore {
  readonly #source: BlockSource
  readonly #geometry: Geometry
  readonly #salt: Uint8Array
  readonly #overlay: Overlay
  readonly #lastTxn: bigint
  readonly #cache = new Map<number, LoadedPage>()
  readonly #chunks = new Map<number, Uint8Array>()
  /** Pages of INIT that are done without. */
  readonly #noInit = new Set<number>()

  /** `lastTxn`: the log's last transaction; a page of a later one is forged, or of a log that was lost. */
  constructor(source: BlockSource, g: Geometry, salt: Uint8Array, overlay: Overlay, lastTxn: bigint) {
    this.#lastTxn = lastTxn
    this.#source = source
    this.#geometry = g
    this.#salt = salt
    this.#overlay = overlay
  }

  /** Names of the copies the volume has. */
  get copies(): readonly CopyName[] {
    return this.#geometry.copyB === 0 ? ['A'] : ['A', 'B']
  }

  /** @throws Hn4Error PAGE if the page is initialised and no copy of it verifies */
  load(region: RegionName, page: number): LoadedPage {
    const target = pageInCopy(this.#geometry, region, page)
    const cached = this.#cache.get(target)
    if (cached) {
      this.#cache.delete(target)
      this.#cache.set(target, cached)
      return cached
    }
    const loaded = this.#build(region, target, this.copies)
    this.#cache.set(target, loaded)
    if (this.#cache.size > CACHE_PAGES) this.#cache.delete(this.#cache.keys().next().value!)
    return loaded
  }

  /** The page as copy `copy` alone gives it: what a stale page of the other copy may hide. */
  loadFrom(copy: CopyName, region: RegionName, page: number): LoadedPage {
    return this.#build(region, pageInCopy(this.#geometry, region, page), [copy])
  }

  /**
   * To read what is left: a page that a missing page of INIT is about counts as written if it verifies, and as empty
   * if its copies hold zeros. Returns the errors of the missing ones.
   */
  doWithoutInit(): Hn4Error[] {
    const errors: Hn4Error[] = []
    for (let page = 0; page < this.#geometry.pages.INIT; page++) {
      try {
        this.load('INIT', page)
      } catch (error) {
        if (!isDamage(error)) throw error
        this.#noInit.add(page)
        errors.push(error)
      }
    }
    return errors
  }

  /** True if the page was ever written. */
  isInitialised(page: CopyPage): boolean {
    if (page < this.#geometry.pages.INIT) return true
    if (this.#noInit.has(Math.floor(page / BITS))) return !this.#holdsZeros(page)
    return bitOf(this.load('INIT', Math.floor(page / BITS)).payload, page % BITS)
  }

  /** A page as copy `copy` holds it on the device, without the log. Its damage is in the result, not thrown. */
  readCopy(copy: CopyName, page: CopyPage): PageCopy {
    const start = copy === 'A' ? this.#geometry.copyA : this.#geometry.copyB
    const block = blockNumber(start + page)
    const { region, page: number } = regionOfPage(this.#geometry, page)
    try {
      const bytes = this.#readNear(start, page)
      const read = decodePage({ region: regionNumber(region), page: number, salt: this.#salt }, bytes)
      if (typeof read === 'string') return { copy, block, problem: read, page: null }
      if (read.txn > this.#lastTxn)
        return { copy, block, problem: "of a later transaction than the log's last", page: null }
      return { copy, block, problem: null, page: read }
    } catch (error) {
      if (!(error instanceof Hn4Error)) throw error
      return { copy, block, problem: reasonOf(error), page: null }
    }
  }

  /** True if the log replaces the page: what its copies hold does not matter. */
  isReplaced(page: CopyPage): boolean {
    return this.#overlay.patchesOf(page)?.isWhole ?? false
  }

  /** True if the log changes the page: one of its copies may be torn or older, replay repairs it. */
  isPatched(page: CopyPage): boolean {
    return this.#overlay.patchesOf(page) !== null
  }

  #build(region: RegionName, page: CopyPage, copies: readonly CopyName[]): LoadedPage {
    const patches = this.#overlay.patchesOf(page)
    const base = patches?.isWhole
      ? { payload: new Uint8Array(PAGE_PAYLOAD), txn: 0n, from: 'empty' as const }
      : this.#base(region, page, copies)
    if (patches === null) return base
    const payload = base.payload.slice()
    patches.apply(payload)
    return { payload, txn: patches.txn, from: 'log' }
  }

  #base(region: RegionName, page: CopyPage, copies: readonly CopyName[]): LoadedPage {
    if (region !== 'INIT' && !this.isInitialised(page))
      return { payload: new Uint8Array(PAGE_PAYLOAD), txn: 0n, from: 'empty' }
    const causes: string[] = []
    for (const copy of copies) {
      const { problem, page: read } = this.readCopy(copy, page)
      if (read !== null) return { payload: read.payload.slice(), txn: read.txn, from: copy }
      causes.push(`copy ${copy}: ${problem}`)
    }
    const place = regionOfPage(this.#geometry, page)
    throw new Hn4Error('PAGE', { region: place.region.toLowerCase(), page: place.page, cause: causes.join(', ') })
  }

  /** Whether every copy that can be read holds zeros, and one can. */
  #holdsZeros(page: CopyPage): boolean {
    let isRead = false
    for (const copy of this.copies) {
      try {
        const bytes = this.#readNear(copy === 'A' ? this.#geometry.copyA : this.#geometry.copyB, page)
        if (!isZero(bytes)) return false
        isRead = true
      } catch (error) {
        if (!(error instanceof Hn4Error)) throw error
      }
    }
    return isRead
  }

  /** A page out of a chunk of its neighbours; alone if the chunk cannot be read. */
  #readNear(start: number, page: CopyPage): Uint8Array {
    const first = page - (page % CHUNK_PAGES)
    const key = start + first
    let chunk = this.#chunks.get(key)
    if (!chunk) {
      const count = Math.min(CHUNK_PAGES, copyPages(this.#geometry) - first)
      try {
        chunk = this.#source.read(blockNumber(key), count)
      } catch {
        return this.#source.read(blockNumber(start + page))
      }
      this.#chunks.set(key, chunk)
      if (this.#chunks.size > CACHE_CHUNKS) this.#chunks.delete(this.#chunks.keys().next().value!)
    }
    const at = (page - first) * BLOCK_SIZE
    return chunk.subarray(at, at + BLOCK_SIZE)
  }
}
