/**
 * Lays out volumes by hand, through the encoders: files, directories, links, holes, segments, shells
 * and overwritten blocks, as log records or written in place. It shares no code with the engine and
 * chooses places as simply as it can: what it makes is legal, not good.
 */
import { makeIdentity } from '../../mkfs/identity.ts'
import { writeVolume } from '../../mkfs/write-volume.ts'
import { blockNumber, copyPage, dataNumber, pageNumber, slotIndex } from '../../src/base/units.ts'
import type { BlockCodec, CodecMaker } from '../../src/format/block-codec.ts'
import { constant, extensionType, flag } from '../../src/format/constants.ts'
import { cortexBuckets } from '../../src/format/cortex.ts'
import { descriptorPage, isUnwritten } from '../../src/format/descriptor.ts'
import { packStamps } from '../../src/format/descriptors-item.ts'
import { EXTENSION_PAYLOAD_MAX, encodeExtension, encodeXattrs, UNIT_SIZE } from '../../src/format/extension.ts'
import {
  blockOfData,
  checkpointPlaces,
  type Geometry,
  pageInCopy,
  phi,
  regionNumber,
  regionOfPage,
} from '../../src/format/geometry.ts'
import { BLOCK_SIZE } from '../../src/format/layout.ts'
import type { LogItem } from '../../src/format/log-item.ts'
import { encodePage } from '../../src/format/page.ts'
import { type PlanOptions, planGeometry } from '../../src/format/plan.ts'
import { encodeRecord } from '../../src/format/record.ts'
import { type SipKey, sipKey } from '../../src/format/siphash.ts'
import { type AnchorFields, type AttributeFields, encodeSlot, FILE_TYPES, seedIdBytes } from '../../src/format/slot.ts'
import type { Identity } from '../../src/format/superblock.ts'
import { addressByEquation, encodeSegment, seedHash, theta } from '../../src/format/trajectory.ts'
import { Volume } from '../../src/reader/volume.ts'
import { builtCheckpoint } from './built-checkpoint.ts'
import { layoutDirectory } from './directory-layout.ts'
import { type FileSpec, newAnchor, newAttributes } from './file-spec.ts'
import { MemoryImage } from './memory-image.ts'
import { layoutPresence } from './presence-layout.ts'

interface Node {
  readonly anchor: AnchorFields
  readonly attributes: AttributeFields
}

interface Name {
  readonly name: Uint8Array
  readonly number: number
}

const META = flag('DESCRIPTOR', 'META')
const UNWRITTEN = flag('DESCRIPTOR', 'UNWRITTEN')

interface BuilderOptions extends PlanOptions {
  /** Of the blocks; without it they are plain. */
  readonly codec?: CodecMaker | undefined
}

export class VolumeBuilder {
  readonly image: MemoryImage
  readonly geometry: Geometry
  readonly identity: Identity
  readonly #key: SipKey
  readonly #maker: CodecMaker | undefined
  readonly #codec: BlockCodec
  readonly #nodes = new Map<number, Node>()
  readonly #slots = new Map<string, number>()
  readonly #names = new Map<number, Name[]>()
  readonly #dirty = new Set<number>()
  readonly #born = new Set<number>()
  #items: LogItem[] = []
  #births: number[] = []
  #data = 0
  #far: number
  #area: number
  #unit = 1
  #usedUnits = 0
  #live = 0
  #next = constant('INO_FIRST')
  #txn = 2n
  #at = 0
  #previous = 0
  #generation = 1n

  constructor(blocks = 4096, options: BuilderOptions = {}, filler = 0) {
    this.#maker = options.codec
    this.geometry = planGeometry(blocks, { ...options, descriptorSize: options.codec?.descriptorSize })
    this.identity = makeIdentity({
      label: 'built',
      seed: new Uint8Array([1, 2, 3]),
      createdNs: 1_700_000_000_000_000_000n,
    })
    this.#key = sipKey(this.identity.hashKey)
    this.image = new MemoryImage(blocks, filler)
    writeVolume(this.image, this.geometry, this.identity, blocks)
    this.#far = Math.floor(this.geometry.windowBlocks / 2)
    this.#area = this.geometry.windowBlocks
    const volume = this.open()
    this.#codec = volume.core.superblocks.codec
    this.#adoptSystemFiles(volume)
    this.#generation = 1n
  }

  open(): Volume {
    return new Volume(this.image, this.#maker)
  }

  #adoptSystemFiles(volume: Volume): void {
    for (const page of volume.core.initialisedPages('CORTEX', error => {
      throw error
    })) {
      this.#born.add(pageInCopy(this.geometry, 'CORTEX', page))
      for (let slot = 0; slot < 3; slot++) this.#slots.set(`${page}:${slot}`, 0)
    }
    const root = volume.root()
    this.#nodes.set(1, { anchor: root.slot.anchor, attributes: root.slot.attributes })
    this.#slots.set(`${root.place.page}:${root.place.slot}`, 1)
    this.#names.set(1, [])
  }

  /** Adds a file under directory `parent` (1 = root) and returns its number. */
  add(parent: number, name: string | Uint8Array, spec: FileSpec = {}): number {
    const number = this.#next++
    const type = spec.type ?? (spec.target !== undefined ? 'symlink' : 'regular')
    const anchor = newAnchor(number, type, spec)
    const attributes = newAttributes(parent, type)
    const node = { anchor, attributes }
    if (type === 'directory') this.#names.set(number, [])
    this.#nodes.set(number, this.#withContent(this.#withExtensions(node, spec), spec))
    this.link(parent, name, number)
    if (type === 'directory') this.#change(parent, {}, { nlink: this.#nodes.get(parent)!.attributes.nlink + 1 })
    this.#dirty.add(number)
    return number
  }

  /** Enters a further name of a file. */
  link(parent: number, name: string | Uint8Array, number: number): void {
    const bytes = typeof name === 'string' ? new Uint8Array(Buffer.from(name)) : name
    this.#names.get(parent)!.push({ name: bytes, number })
    this.#dirty.add(parent)
    const node = this.#nodes.get(number)!
    if (node.anchor.permissions >>> 12 !== FILE_TYPES.directory)
      this.#change(number, {}, { nlink: node.attributes.nlink + 1 })
  }

  /** Takes a name out of a directory and leaves the file as it is: what a lost entry looks like. */
  forget(parent: number, name: string): void {
    const left = this.#names.get(parent)!.filter(entry => Buffer.from(entry.name).toString() !== name)
    this.#names.set(parent, left)
    this.#dirty.add(parent)
  }

  /** Changes fields of a file as they are: also to illegal states, for tests of damage. */
  change(number: number, anchor: Partial<AnchorFields>, attributes: Partial<AttributeFields> = {}): void {
    this.#change(number, anchor, attributes)
  }

  /** Adds a raw item to the next record. */
  item(item: LogItem): void {
    this.#items.push(item)
  }

  #change(number: number, anchor: Partial<AnchorFields>, attributes: Partial<AttributeFields>): void {
    const node = this.#nodes.get(number)!
    this.#nodes.set(number, {
      anchor: { ...node.anchor, ...anchor },
      attributes: { ...node.attributes, ...attributes },
    })
    this.#dirty.add(number)
  }

  #withFlags(node: Node, ...names: Parameters<typeof flag<'DATA_CLASS'>>[1][]): Node {
    const bits = names.reduce((sum, name) => sum | BigInt(flag('DATA_CLASS', name)), node.anchor.data_class)
    return { ...node, anchor: { ...node.anchor, data_class: bits } }
  }

  #withExtensions(node: Node, spec: FileSpec): Node {
    const records: [Parameters<typeof extensionType>[0], Uint8Array][] = []
    let out = node
    if (spec.segments) {
      out = this.#withFlags(out, 'HAS_SEGMENTS')
      records.push(['SEGMENTS', new Uint8Array(0)])
    }
    if (spec.xattrs) {
      out = this.#withFlags(out, 'HAS_XATTR')
      const entries = Object.entries(spec.xattrs).map(([name, value]) => ({
        name: Buffer.from(name),
        value: Buffer.from(value),
      }))
      records.push(['XATTR', encodeXattrs(entries)])
    }
    if (spec.target !== undefined && spec.target.length > constant('INLINE_MAX')) {
      out = this.#withFlags(out, 'LONG_SYMLINK')
      records.push(['SYMLINK', new Uint8Array(Buffer.from(spec.target))])
    }
    if (records.length === 0) return out
    const segments = (spec.segments ?? []).map(([first, length]) => {
      const gravity = blockOfData(this.geometry, dataNumber(this.#far))
      this.#far += length
      return { first, length, gravity, copy: 0 }
    })
    if (segments.length > 0) records[0] = ['SEGMENTS', new Uint8Array(Buffer.concat(segments.map(encodeSegment)))]
    const extension = this.#writeChain(node.anchor.number, records)
    return { ...out, attributes: { ...out.attributes, extension } }
  }

  #writeChain(owner: bigint, records: readonly (readonly [Parameters<typeof extensionType>[0], Uint8Array])[]): number {
    const pieces = records.flatMap(([name, payload]) => {
      const parts: [typeof name, Uint8Array][] = []
      for (let at = 0; at < payload.length; at += EXTENSION_PAYLOAD_MAX)
        parts.push([name, payload.subarray(at, at + EXTENSION_PAYLOAD_MAX)])
      return parts
    })
    const perPage = constant('UNITS_PER_PAGE')
    const places = pieces.map(([, payload]) => {
      const units = Math.ceil((constant('EXTENSION_HEADER') + payload.length) / UNIT_SIZE)
      if ((this.#unit % perPage) + units > perPage) this.#unit = Math.ceil(this.#unit / perPage) * perPage
      const unit = this.#unit
      this.#unit += units
      return unit
    })
    for (const [i, [name, payload]] of pieces.entries()) {
      const fields = {
        type: extensionType(name),
        next: BigInt(places[i + 1] ?? 0),
        owner,
        generation: Number(this.#txn),
      }
      const bytes = encodeExtension(fields, payload)
      for (let at = 0; at < bytes.length; at += UNIT_SIZE) {
        const unit = places[i]! + at / UNIT_SIZE
        this.#birth(pageInCopy(this.geometry, 'EXTENSION', Math.floor(unit / perPage)))
        this.#birthMap('UNIT', unit)
        this.#items.push({ kind: 'UNIT', unit, bytes: bytes.subarray(at, at + UNIT_SIZE) })
        this.#usedUnits++
      }
    }
    return places[0]!
  }

  #withContent(node: Node, spec: FileSpec): Node {
    const content =
      spec.target !== undefined ? new Uint8Array(Buffer.from(spec.target)) : (spec.content ?? new Uint8Array(0))
    const mass = BigInt(spec.sizeBytes ?? content.length)
    const sized = { ...node, anchor: { ...node.anchor, mass } }
    if (spec.target !== undefined && content.length > constant('INLINE_MAX')) return sized
    if (content.length > 0 && content.length <= constant('INLINE_MAX') && !spec.holes && spec.sizeBytes === undefined) {
      const inline = new Uint8Array(constant('INLINE_MAX'))
      inline.set(content)
      return this.#withFlags({ ...sized, anchor: { ...sized.anchor, inline_buffer: inline } }, 'INLINE')
    }
    const holes = new Set(spec.holes ?? [])
    const indices = Array.from({ length: Math.ceil(content.length / BLOCK_SIZE) }, (_, i) => i).filter(
      i => !holes.has(i),
    )
    const isSparse = spec.holes !== undefined || spec.sizeBytes !== undefined
    if (indices.length === 0) return isSparse ? this.#withFlags(sized, 'SPARSE') : sized
    return this.#placeBlocks(sized, spec, content, indices, isSparse)
  }

  #placeBlocks(node: Node, spec: FileSpec, content: Uint8Array, indices: readonly number[], isSparse: boolean): Node {
    const scale = spec.scale ?? 0
    const stride = spec.stride ?? 1
    const size = 2 ** scale
    this.#data = Math.ceil(this.#data / size) * size
    const gravity = blockOfData(this.geometry, dataNumber(this.#data))
    const own = { gravity, stride, scale }
    const window = { start: this.geometry.windowStart, phi: (s: number): number => phi(this.geometry, s) }
    const seed = seedIdBytes(node.anchor.number, node.anchor.hint, node.anchor.random)
    const starts = this.#segmentStart(spec)
    for (const index of indices) {
      const bytes = new Uint8Array(BLOCK_SIZE)
      bytes.set(content.subarray(index * BLOCK_SIZE, (index + 1) * BLOCK_SIZE))
      const segment = spec.segments?.find(([first, length]) => index >= first && index < first + length)
      let data: number
      if (spec.area?.includes(index)) data = this.#area++
      else if (segment) data = starts.get(segment)! + index - segment[0]
      else {
        const shell = spec.shell1?.includes(index) ? 1 : 0
        data =
          addressByEquation(window, own, index, theta(seedHash(this.#key, seed), shell, phi(this.geometry, scale))) -
          this.geometry.windowStart
      }
      this.#writeBlock(node, index, data, bytes, 0, spec.unwritten?.includes(index) ? UNWRITTEN : 0)
    }
    this.#data += Math.ceil((indices.at(-1)! + 1) / size) * size * stride
    const kmax = spec.shell1 ? 1n << 12n : 0n
    const anchor = {
      ...node.anchor,
      gravity_center: BigInt(gravity),
      orbit_vector: stride,
      fractal_scale: scale,
      data_class: node.anchor.data_class | kmax,
    }
    const placed = { anchor, attributes: { ...node.attributes, blocks: indices.length } }
    return isSparse ? this.#withPresence(placed, spec, indices) : placed
  }

  #segmentStart(spec: FileSpec): Map<readonly [number, number], number> {
    const total = (spec.segments ?? []).reduce((sum, [, length]) => sum + length, 0)
    let at = this.#far - total
    return new Map(
      (spec.segments ?? []).map(segment => {
        const entry = [segment, at] as const
        at += segment[1]
        return entry
      }),
    )
  }

  #withPresence(node: Node, spec: FileSpec, indices: readonly number[]): Node {
    const height = spec.height ?? 0
    const { root, nodes } = layoutPresence(indices, height)
    const isDup = this.geometry.copyB !== 0
    const window = { start: this.geometry.windowStart, phi: () => this.geometry.windowBlocks }
    const origin = (wanted: number, index: number): number => {
      // G such that node `index` falls on data block `wanted`.
      const clusters = this.geometry.windowBlocks
      return (((wanted - (index % clusters)) % clusters) + clusters) % clusters
    }
    let gravity1 = 0
    for (const { index, bytes } of nodes) {
      const own = { gravity: blockNumber(Number(node.anchor.gravity_center)), stride: 1, scale: 0 }
      const first = addressByEquation(window, own, index, 0)
      this.#writeBlock(node, index, first - this.geometry.windowStart, bytes, 0, META)
      if (!isDup) continue
      if (gravity1 === 0) gravity1 = blockOfData(this.geometry, dataNumber(origin(this.#far, index)))
      const second = addressByEquation(window, { gravity: blockNumber(gravity1), stride: 1, scale: 0 }, index, 0)
      this.#writeBlock(node, index, second - this.geometry.windowStart, bytes, 1, META)
    }
    this.#far += nodes.length
    const inline = new Uint8Array(constant('INLINE_MAX'))
    const view = new DataView(inline.buffer)
    view.setUint32(0, gravity1, true)
    view.setUint8(6, height)
    view.setBigUint64(8, root, true)
    const blocks = indices.length + nodes.length * (isDup ? 2 : 1)
    const out = { anchor: { ...node.anchor, inline_buffer: inline }, attributes: { ...node.attributes, blocks } }
    return this.#withFlags(out, 'SPARSE')
  }

  /** Writes a block and adds its descriptor to the record. */
  #writeBlock(node: Node, index: number, data: number, bytes: Uint8Array, copy: number, flags: number): void {
    this.#birth(pageInCopy(this.geometry, 'DESCRIPTOR', descriptorPage(this.geometry, data)))
    this.#birthMap('FREE', data)
    const stored = isUnwritten({ flags }) ? 0 : BLOCK_SIZE
    const place = { owner: node.anchor.number, hint: node.anchor.hint, index, flags: flags | copy, stored }
    const made = stored === 0 ? null : this.#codec.store(place, this.#codec.draw(), bytes)
    if (made) this.image.write(blockOfData(this.geometry, dataNumber(data)), made.stored)
    const stamps = packStamps(this.geometry, made ? [made.stamp] : [])
    this.#items.push({ kind: 'DESCRIPTORS', data: dataNumber(data), count: 1, ...place, ...stamps })
    this.#live++
  }

  #birth(page: number): void {
    if (this.#born.has(page)) return
    this.#born.add(page)
    this.#births.push(page)
  }

  #birthMap(region: 'FREE' | 'UNIT', bit: number): void {
    this.#birth(pageInCopy(this.geometry, region, Math.floor(bit / constant('MAP_BITS_PER_PAGE'))))
  }

  #layOutDirectory(number: number): void {
    const node = this.#nodes.get(number)!
    const entries = this.#names.get(number)!.map(({ name, number: target }) => {
      const { anchor } = this.#nodes.get(target)!
      return {
        name,
        number: anchor.number,
        hint: anchor.hint,
        random: anchor.random,
        type: (anchor.permissions >>> 12) & 15,
      }
    })
    // Old blocks are freed in the same record: a directory is laid out anew each time.
    const { blocks, depth, indexFirst, indexBlocks } = layoutDirectory(this.#key, number, entries)
    const isDup = this.geometry.copyB !== 0
    const gravity = blockOfData(this.geometry, dataNumber(this.#data))
    const gravity1 = isDup && blocks.length > 0 ? blockOfData(this.geometry, dataNumber(this.#far)) : 0
    for (const [index, bytes] of blocks.entries()) {
      this.#writeBlock(node, index, this.#data++, bytes, 0, META)
      if (isDup) this.#writeBlock(node, index, this.#far++, bytes, 1, META)
    }
    const inline = new Uint8Array(constant('INLINE_MAX'))
    const view = new DataView(inline.buffer)
    view.setUint32(0, gravity1, true)
    view.setUint8(6, depth)
    view.setUint32(8, indexFirst, true)
    view.setUint32(12, indexBlocks, true)
    view.setUint32(16, entries.length, true)
    this.#freeDirectory(node)
    const isEmpty = blocks.length === 0
    this.#change(
      number,
      {
        mass: BigInt(blocks.length * BLOCK_SIZE),
        gravity_center: isEmpty ? 0n : BigInt(gravity),
        orbit_vector: isEmpty ? 0 : 1,
        inline_buffer: inline,
      },
      { blocks: blocks.length * (isDup ? 2 : 1) },
    )
  }

  #freeDirectory(node: Node): void {
    const count = Number(node.anchor.mass / 4096n)
    if (count === 0) return
    const view = new DataView(node.anchor.inline_buffer.buffer, node.anchor.inline_buffer.byteOffset)
    const starts = [Number(node.anchor.gravity_center), view.getUint32(0, true)].filter(block => block !== 0)
    for (const block of starts) {
      this.#items.push({ kind: 'BLOCKS_FREE', first: block - this.geometry.windowStart, count })
      this.#live -= count
    }
  }

  #slotItem(number: number): void {
    const { anchor, attributes } = this.#nodes.get(number)!
    const place = this.#placeOf(number, anchor.hint)
    this.#birth(pageInCopy(this.geometry, 'CORTEX', place.page))
    const bytes = encodeSlot({ ...anchor, write_gen: Number(this.#txn) }, attributes)
    this.#items.push({
      kind: 'SLOT',
      region: 'CORTEX',
      page: pageNumber(place.page),
      slot: slotIndex(place.slot),
      bytes,
    })
  }

  #placeOf(number: number, hint: number): { page: number; slot: number } {
    const { first, second } = cortexBuckets(this.#key, number, hint, this.geometry.pages.CORTEX)
    let free: { page: number; slot: number } | null = null
    // Every third file goes to its alternate page, so that both are met.
    for (const page of number % 3 === 0 ? [second, first] : [first, second]) {
      for (let slot = 0; slot < constant('SLOTS_PER_PAGE'); slot++) {
        const holder = this.#slots.get(`${page}:${slot}`)
        if (holder === number) return { page, slot }
        if (holder === undefined) free ??= { page, slot }
      }
    }
    if (!free) throw new Error('both pages are full: use a larger volume')
    this.#slots.set(`${free.page}:${free.slot}`, number)
    return free
  }

  /** Writes one log record with everything since the last; `proven`: followed by a checkpoint block that names it. */
  commit(proven = true): bigint {
    for (const number of [...this.#dirty]) if (this.#names.has(number)) this.#layOutDirectory(number)
    for (const number of this.#dirty) this.#slotItem(number)
    this.#dirty.clear()
    const births: LogItem[] = this.#births.map(page => ({ kind: 'BIRTH', first: page, count: 1 }))
    const txn = this.#txn++
    const record = encodeRecord(
      {
        epoch: 2n,
        txn,
        salt: this.identity.salt,
        time: 1_700_000_002_000_000_000n,
        next_number: BigInt(this.#next),
        live_blocks: BigInt(this.#live),
        files: BigInt(this.#nodes.size + 2),
        units: BigInt(this.#usedUnits),
        previous_crc: this.#previous,
      },
      [...births, ...this.#items],
    )
    if (txn === 2n) this.#checkpoint({ tail: 0, tailTxn: 2n, proven: 1n, crc: 0 })
    this.image.write(blockNumber(this.geometry.logStart + 2 + this.#at), record)
    this.#at += record.length / BLOCK_SIZE
    this.#previous = new DataView(record.buffer).getUint32(0x6c, true)
    this.#items = []
    this.#births = []
    if (proven) this.#checkpoint({ tail: 0, tailTxn: 2n, proven: txn, crc: 0 })
    return txn
  }

  /** Writes what the log says in place, in both copies, and moves the tail behind it; `clean`: as an unmount does. */
  writeInPlace(clean = true): void {
    const { core } = this.open()
    const { geometry: g } = this
    for (const target of [...this.#born, ...Array.from({ length: g.pages.INIT }, (_, i) => i)]) {
      const { region, page } = regionOfPage(g, copyPage(target))
      const loaded = core.pages.load(region, page)
      const block = encodePage({ region: regionNumber(region), page, salt: this.identity.salt }, loaded)
      for (const start of g.copyB === 0 ? [g.copyA] : [g.copyA, g.copyB])
        this.image.write(blockNumber(start + target), block)
    }
    this.#checkpoint({ tail: this.#at, tailTxn: this.#txn, proven: this.#txn - 1n, crc: this.#previous, clean })
  }

  #checkpoint(at: { tail: number; tailTxn: bigint; proven: bigint; crc: number; clean?: boolean }): void {
    const generation = ++this.#generation
    const counters = { nextNumber: this.#next, live: this.#live, files: this.#nodes.size + 2, units: this.#usedUnits }
    const bytes = builtCheckpoint({ ...at, generation, salt: this.identity.salt }, counters)
    for (const block of checkpointPlaces(this.geometry, Number(generation % 2n))) this.image.write(block, bytes)
  }
}
