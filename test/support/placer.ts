/**
 * Places the blocks of built files, as their spec asks: data from the front of the window, segments and
 * second copies from its middle, overwritten blocks in the area behind it.
 */
import { type BlockNumber, blockNumber, dataNumber } from '../../src/base/units.ts'
import { encode } from '../../src/format/codec.ts'
import { constant } from '../../src/format/constants.ts'
import { blockOfData, dataOfBlock, type Geometry, phi } from '../../src/format/geometry.ts'
import { BLOCK_SIZE, FILE_STATE } from '../../src/format/layout.ts'
import type { SipKey } from '../../src/format/siphash.ts'
import {
  addressByEquation,
  addressBySegment,
  type Equation,
  type Segment,
  seedHash,
  theta,
  type Window,
} from '../../src/format/trajectory.ts'
import type { BlockWriter } from '../../src/writer/blocks.ts'
import { layoutPresence } from '../../src/writer/presence.ts'
import { type FileFields, type FileSpec, seedIdOf, withFlags } from './file-spec.ts'

const INLINE_MAX = constant('INLINE_MAX')

/** Data and META blocks of built files lie on one equation of this shape unless the spec says otherwise. */
const plain = (gravity: BlockNumber): Equation => ({ gravity, stride: 1, scale: 0 })

export class BlockPlacer {
  readonly #blocks: BlockWriter
  readonly #geometry: Geometry
  readonly #key: SipKey
  readonly #window: Window
  /** Next data block of the front, of the middle and of the overwrite area. */
  #front = 0
  #middle: number
  #area: number

  constructor(blocks: BlockWriter, geometry: Geometry, key: SipKey) {
    this.#blocks = blocks
    this.#geometry = geometry
    this.#key = key
    this.#window = { start: geometry.windowStart, phi: scale => phi(geometry, scale) }
    this.#middle = Math.floor(geometry.windowBlocks / 2)
    this.#area = geometry.windowBlocks
  }

  get #isDup(): boolean {
    return this.#geometry.copyB !== 0
  }

  #blockOf(data: number): BlockNumber {
    return blockOfData(this.#geometry, dataNumber(data))
  }

  /** Takes room in the middle for the segments of a file. */
  takeSegments(wanted: FileSpec['segments'] = []): Segment[] {
    return wanted.map(([first, length]) => {
      const gravity = this.#blockOf(this.#middle)
      this.#middle += length
      return { first, length, gravity, copy: 0 }
    })
  }

  /** The file with the content of `spec`: inline, or in blocks that are written and described. */
  placeContent(file: FileFields, spec: FileSpec, segments: readonly Segment[]): FileFields {
    const content =
      spec.target !== undefined ? new Uint8Array(Buffer.from(spec.target)) : (spec.content ?? new Uint8Array(0))
    const isSparse = spec.holes !== undefined || spec.sizeBytes !== undefined
    const sized = { ...file, anchor: { ...file.anchor, mass: BigInt(spec.sizeBytes ?? content.length) } }
    if (spec.target !== undefined && content.length > INLINE_MAX) return sized
    if (content.length > 0 && content.length <= INLINE_MAX && !isSparse) {
      const inline = new Uint8Array(INLINE_MAX)
      inline.set(content)
      return withFlags({ ...sized, anchor: { ...sized.anchor, inline_buffer: inline } }, 'INLINE')
    }
    const all = Array.from({ length: Math.ceil(content.length / BLOCK_SIZE) }, (_, i) => i)
    const indices = all.filter(i => spec.holes?.includes(i) !== true)
    if (indices.length === 0) return isSparse ? withFlags(sized, 'SPARSE') : sized
    const placed = this.#placeBlocks(sized, spec, content, indices, segments)
    return isSparse ? this.#placePresence(placed, indices, spec.height ?? 0) : placed
  }

  #placeBlocks(
    file: FileFields,
    spec: FileSpec,
    content: Uint8Array,
    indices: readonly number[],
    segments: readonly Segment[],
  ): FileFields {
    const { scale = 0, stride = 1 } = spec
    const size = 2 ** scale
    this.#front = Math.ceil(this.#front / size) * size
    const own = { gravity: this.#blockOf(this.#front), stride, scale }
    for (const index of indices) {
      const bytes = new Uint8Array(BLOCK_SIZE)
      bytes.set(content.subarray(index * BLOCK_SIZE, (index + 1) * BLOCK_SIZE))
      const isUnwritten = spec.unwritten?.includes(index) === true
      this.#write(file, index, this.#placeOf(file, spec, own, segments, index), isUnwritten ? null : bytes)
    }
    this.#front += Math.ceil((indices.at(-1)! + 1) / size) * size * stride
    const kmax = spec.shell1 ? 1n << 12n : 0n
    const anchor = {
      ...file.anchor,
      gravity_center: BigInt(own.gravity),
      orbit_vector: stride,
      fractal_scale: scale,
      data_class: file.anchor.data_class | kmax,
    }
    return { anchor, attributes: { ...file.attributes, blocks: indices.length } }
  }

  #placeOf(file: FileFields, spec: FileSpec, own: Equation, segments: readonly Segment[], index: number): BlockNumber {
    if (spec.area?.includes(index)) return this.#blockOf(this.#area++)
    const segment = segments.find(({ first, length }) => index >= first && index < first + length)
    if (segment) return addressBySegment(this.#window, segment, index, 0)
    const shell = spec.shell1?.includes(index) ? 1 : 0
    const offset = theta(seedHash(this.#key, seedIdOf(file.anchor)), shell, this.#window.phi(own.scale))
    return addressByEquation(this.#window, own, index, offset)
  }

  #placePresence(file: FileFields, indices: readonly number[], height: number): FileFields {
    const { root, nodes } = layoutPresence(indices, height)
    const own = plain(blockNumber(Number(file.anchor.gravity_center)))
    let gravity1 = blockNumber(0)
    for (const { index, bytes } of nodes) {
      this.#writeMeta(file, index, addressByEquation(this.#window, own, index, 0), bytes, 0)
      if (!this.#isDup) continue
      if (gravity1 === 0) gravity1 = this.#originOf(index, this.#middle)
      this.#writeMeta(file, index, addressByEquation(this.#window, plain(gravity1), index, 0), bytes, 1)
    }
    this.#middle += nodes.length
    const inline = new Uint8Array(FILE_STATE.size)
    encode(FILE_STATE, { gravity_1: gravity1, height, root }, inline)
    const blocks = indices.length + nodes.length * (this.#isDup ? 2 : 1)
    const out = { anchor: { ...file.anchor, inline_buffer: inline }, attributes: { ...file.attributes, blocks } }
    return withFlags(out, 'SPARSE')
  }

  /** G such that index `index` of a plain equation falls on data block `data`. */
  #originOf(index: number, data: number): BlockNumber {
    const clusters = this.#window.phi(0)
    return this.#blockOf((((data - (index % clusters)) % clusters) + clusters) % clusters)
  }

  /** Writes the blocks of a directory, in two copies where the volume has them; G of both, 0: none. */
  placeDirectory(file: FileFields, blocks: readonly Uint8Array[]): { gravity: number; gravity1: number } {
    if (blocks.length === 0) return { gravity: 0, gravity1: 0 }
    const [gravity, gravity1] = [this.#blockOf(this.#front), this.#isDup ? this.#blockOf(this.#middle) : 0]
    for (const [index, bytes] of blocks.entries()) {
      this.#writeMeta(file, index, this.#blockOf(this.#front++), bytes, 0)
      if (this.#isDup) this.#writeMeta(file, index, this.#blockOf(this.#middle++), bytes, 1)
    }
    return { gravity, gravity1 }
  }

  #write(
    file: FileFields,
    index: number,
    block: BlockNumber,
    bytes: Uint8Array | null,
    copy = 0,
    isMeta = false,
  ): void {
    const { number: owner, hint } = file.anchor
    this.#blocks.write({ owner, hint, index, copy, isMeta }, dataOfBlock(this.#geometry, block), bytes)
  }

  #writeMeta(file: FileFields, index: number, block: BlockNumber, bytes: Uint8Array, copy: number): void {
    this.#write(file, index, block, bytes, copy, true)
  }
}
