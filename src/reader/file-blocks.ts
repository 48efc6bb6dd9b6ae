/**
 * Where the blocks of one file are, and their content (docs/format.md section 4): the overwrite area,
 * then the shells of the one equation that holds. What is read is verified, or an error.
 */
import { Hn4Error, isDamage } from '../base/error.ts'
import { type BlockNumber, blockNumber, type DataNumber } from '../base/units.ts'
import { constant } from '../format/constants.ts'
import { copyNumber, type DescriptorFields, descriptorProblem, isMeta } from '../format/descriptor.ts'
import type { Slot } from '../format/slot.ts'
import {
  addressByEquation,
  addressBySegment,
  coveringSegment,
  type Segment,
  seedHash,
  theta,
} from '../format/trajectory.ts'
import type { Core } from './core.ts'
import { readSegments } from './extensions.ts'
import type { Overwrites } from './overwrites.ts'

export interface Candidate {
  readonly block: BlockNumber
  readonly data: DataNumber
  readonly via: 'area' | 'segment' | 'anchor'
  /** Shell k; 0 for the area. */
  readonly shell: number
  readonly segment: Segment | null
}

/** A block that was found: the candidate whose live descriptor names it. */
export interface FoundBlock extends Candidate {
  readonly descriptor: DescriptorFields
}

const isFound = (located: FoundBlock | Hn4Error): located is FoundBlock => !(located instanceof Hn4Error)

export class FileBlocks {
  readonly slot: Slot
  readonly #core: Core
  readonly #overwrites: () => Overwrites
  #segments: Segment[] | null = null
  readonly #thetas = new Map<number, number>()
  #seedHash: bigint | null = null

  /** `overwrites` builds the index when it is first needed. */
  constructor(core: Core, slot: Slot, overwrites: () => Overwrites) {
    this.#core = core
    this.slot = slot
    this.#overwrites = overwrites
  }

  /** @throws Hn4Error SEGMENT, EXTENSION, PAGE */
  get segments(): readonly Segment[] {
    this.#segments ??= readSegments(this.#core, this.slot)
    return this.#segments
  }

  #theta(shell: number, scale: number): number {
    const key = shell * 16 + scale
    let found = this.#thetas.get(key)
    if (found === undefined) {
      this.#seedHash ??= seedHash(this.#core.key, this.slot.seedId)
      found = theta(this.#seedHash, shell, this.#core.window.phi(scale))
      this.#thetas.set(key, found)
    }
    return found
  }

  /** G of copy 0 or 1; null if the file has no such copy. */
  gravity(copy: number): BlockNumber | null {
    const { slot } = this
    const center = Number(slot.anchor.gravity_center)
    if (copy === 0) return center === 0 ? null : blockNumber(center)
    const other =
      slot.type === 'directory' ? slot.dirState().gravity_1 : slot.has('SPARSE') ? slot.fileState().gravity_1 : 0
    return other === 0 ? null : blockNumber(other)
  }

  /** The places of (index, copy) by the equation that holds, shell by shell. */
  predicted(index: number, copy: number): Candidate[] {
    const { window } = this.#core
    const segment = coveringSegment(this.segments, index, copy)
    const { orbit_vector: stride, fractal_scale: scale } = this.slot.anchor
    const gravity = this.gravity(copy)
    if (segment === null && gravity === null) return []
    const candidates: Candidate[] = []
    for (let shell = 0; shell <= this.slot.kmax; shell++) {
      const block = segment
        ? addressBySegment(window, segment, index, this.#theta(shell, 0))
        : addressByEquation(window, { gravity: gravity!, stride, scale }, index, this.#theta(shell, scale))
      candidates.push({ block, data: this.#core.data(block), via: segment ? 'segment' : 'anchor', shell, segment })
    }
    return candidates
  }

  /** Every place where (index, copy) may be, in the order in which they are looked at. */
  candidates(index: number, copy: number): Candidate[] {
    return [...this.#inOrder(index, copy)]
  }

  /** A block in the overwrite area needs no equation: those are asked for behind it. */
  *#inOrder(index: number, copy: number): Generator<Candidate> {
    const data = this.#overwrites().find(this.slot.number, index, copy)
    if (data !== null) yield { block: this.#core.block(data), data, via: 'area', shell: 0, segment: null }
    yield* this.predicted(index, copy)
  }

  /** The block of (index, copy); null if no live descriptor names it. @throws Hn4Error PAGE, BLOCK_DATA */
  find(index: number, copy = 0): FoundBlock | null {
    for (const candidate of this.#inOrder(index, copy)) {
      if (!this.#core.isLive(candidate.data)) continue
      const descriptor = this.#core.descriptor(candidate.data)
      if (this.#names(descriptor, index, copy))
        return this.#checked({ ...candidate, descriptor }, this.#core.descriptorTxn(candidate.data))
    }
    return this.#findInOtherCopy(this.candidates(index, copy), index, copy)
  }

  #names(d: DescriptorFields, index: number, copy: number): boolean {
    return d.owner === this.slot.anchor.number && d.index === index && copyNumber(d) === copy
  }

  /** A lost write may have left a stale descriptor page in copy A: copy B is asked before the block is called lost. */
  #findInOtherCopy(candidates: readonly Candidate[], index: number, copy: number): FoundBlock | null {
    if (!this.#core.pages.copies.includes('B')) return null
    for (const candidate of candidates) {
      if (!this.#core.isLive(candidate.data)) continue
      try {
        const descriptor = this.#core.descriptorFrom('B', candidate.data)
        if (this.#names(descriptor, index, copy))
          return this.#checked({ ...candidate, descriptor }, this.#core.descriptorTxn(candidate.data, 'B'))
      } catch (error) {
        if (!isDamage(error)) throw error
      }
    }
    return null
  }

  /** `pageTxn`: the last transaction that changed the descriptor's page. */
  #checked(found: FoundBlock, pageTxn: bigint): FoundBlock {
    const cause = descriptorProblem(found.descriptor, pageTxn)
    if (cause === null) return found
    throw new Hn4Error('BLOCK_DATA', {
      number: this.slot.number,
      index: found.descriptor.index,
      block: found.block,
      cause: `descriptor: ${cause}`,
    })
  }

  /** Plain bytes of a block that must exist, from any good copy. @throws as readAll */
  read(index: number): Uint8Array {
    const [content] = this.readAll([index])
    return content!
  }

  /**
   * Plain bytes of blocks that must exist, in the order of `indices`; blocks of data and of metadata alike. The
   * first copies are read together; for one that is not good the others are tried, and it is noted.
   * @throws Hn4Error BLOCK_LOST, BLOCK_DATA, BLOCK_FORGED, PAGE, IO: that of the first copy if none is good
   */
  *readAll(indices: Iterable<number>): Generator<Uint8Array> {
    const wanted = [...indices]
    const firsts = wanted.map(index => this.#locate(index, 0))
    const contents = new Map(this.#core.blocks.read(firsts.filter(isFound)))
    for (const [i, first] of firsts.entries()) {
      const content = first instanceof Hn4Error ? first : contents.get(first)!
      yield content instanceof Uint8Array ? content : this.#otherCopy(wanted[i]!, content)
    }
  }

  /** Plain bytes of a block whose first copy gave `error`. */
  #otherCopy(index: number, error: Hn4Error): Uint8Array {
    for (const copy of this.#copiesOf(index).slice(1)) {
      const found = this.#locate(index, copy)
      if (found instanceof Hn4Error) continue
      for (const [, content] of this.#core.blocks.read([found])) {
        if (!(content instanceof Uint8Array)) continue
        this.#core.noteBadCopy(error)
        return content
      }
    }
    throw error
  }

  /** Copies that the block has on this volume. */
  #copiesOf(index: number): readonly number[] {
    return this.#isMeta(index) && this.gravity(1) !== null ? [0, 1] : [0]
  }

  /** Directory blocks and presence nodes. */
  #isMeta(index: number): boolean {
    return this.slot.type === 'directory' || index >= constant('PRESENCE_1')
  }

  /** Where a copy of a block that must exist is, or the damage that hides it. */
  #locate(index: number, copy: number): FoundBlock | Hn4Error {
    const { number } = this.slot
    try {
      const found = this.find(index, copy)
      if (found === null) return new Hn4Error('BLOCK_LOST', { number, index, ...(copy > 0 && { copy }) })
      if (isMeta(found.descriptor) || !this.#isMeta(index)) return found
      const cause = 'a block of metadata without the flag META'
      return new Hn4Error('BLOCK_DATA', { number, index, block: found.block, cause })
    } catch (error) {
      if (isDamage(error)) return error
      throw error
    }
  }
}
