/**
 * Builds volumes for tests through src/writer: files, directories, links, holes, segments, shells and
 * overwritten blocks, as log records or written in place. It shares no code with the engine and chooses
 * places as simply as it can: what it makes is legal, not good, or illegal where a test asks for it.
 */
import { makeIdentity } from '../../mkfs/identity.ts'
import { writeVolume } from '../../mkfs/write-volume.ts'
import { blockNumber, type CopyPage, copyPage } from '../../src/base/units.ts'
import type { CodecMaker } from '../../src/format/block-codec.ts'
import { decode, encode } from '../../src/format/codec.ts'
import { constant } from '../../src/format/constants.ts'
import type { CounterFields } from '../../src/format/counters.ts'
import { encodeXattrs } from '../../src/format/extension.ts'
import { dataOfBlock, type Geometry, pageInCopy, regionOfPage } from '../../src/format/geometry.ts'
import { BLOCK_SIZE, DIR_STATE } from '../../src/format/layout.ts'
import type { LogItem } from '../../src/format/log-item.ts'
import { type PlanOptions, planGeometry } from '../../src/format/plan.ts'
import { type SipKey, sipKey } from '../../src/format/siphash.ts'
import { type AnchorFields, type AttributeFields, encodeSlot, FILE_TYPES, Slot } from '../../src/format/slot.ts'
import type { Identity } from '../../src/format/superblock.ts'
import { encodeSegment, type Segment } from '../../src/format/trajectory.ts'
import type { Core } from '../../src/reader/core.ts'
import { slotsOfPage } from '../../src/reader/cortex.ts'
import { Volume } from '../../src/reader/volume.ts'
import { BlockWriter } from '../../src/writer/blocks.ts'
import { layoutDirectory } from '../../src/writer/directory.ts'
import { type ChainPart, layoutChain } from '../../src/writer/extension-chain.ts'
import { LogWriter } from '../../src/writer/log.ts'
import { copyStarts, pageWrites } from '../../src/writer/pages.ts'
import { RecordDraft } from '../../src/writer/record-draft.ts'
import { writeAll } from '../../src/writer/sink.ts'
import { type CortexSlot, SlotTable } from '../../src/writer/slots.ts'
import { type FileFields, type FileSpec, newAnchor, newAttributes, withFlags } from './file-spec.ts'
import { MemoryImage } from './memory-image.ts'
import { BlockPlacer } from './placer.ts'

interface Name {
  readonly name: Uint8Array
  readonly number: number
}

const ROOT = constant('INO_ROOT')
/** Built records continue what mkfs left: transaction 2 is the first, of epoch 2. */
const FIRST_TXN = 2n
const COMMIT_NS = 1_700_000_002_000_000_000n

const bytesOf = (text: string | Uint8Array): Uint8Array =>
  typeof text === 'string' ? new Uint8Array(Buffer.from(text)) : text

interface BuilderOptions extends PlanOptions {
  /** Of the blocks; without it they are plain. */
  readonly codec?: CodecMaker | undefined
}

export class VolumeBuilder {
  readonly image: MemoryImage
  readonly geometry: Geometry
  readonly identity: Identity
  readonly #maker: CodecMaker | undefined
  readonly #key: SipKey
  readonly #files = new Map<number, FileFields>()
  /** Names by directory. */
  readonly #names = new Map<number, Name[]>([[ROOT, []]])
  readonly #dirty = new Set<number>()
  readonly #slots: SlotTable
  readonly #draft: RecordDraft
  readonly #log: LogWriter
  readonly #placer: BlockPlacer
  #unit = 1
  #next = constant('INO_FIRST')

  constructor(blocks = 4096, options: BuilderOptions = {}, filler = 0) {
    this.#maker = options.codec
    const g = planGeometry(blocks, { ...options, descriptorSize: options.codec?.descriptorSize })
    this.geometry = g
    this.identity = makeIdentity({
      label: 'built',
      seed: new Uint8Array([1, 2, 3]),
      createdNs: 1_700_000_000_000_000_000n,
    })
    this.#key = sipKey(this.identity.hashKey)
    this.image = new MemoryImage(blocks, filler)
    writeVolume(this.image, g, this.identity, blocks)
    const { core } = this.open()
    this.#slots = new SlotTable(this.#key, g.pages.CORTEX)
    this.#draft = new RecordDraft(g, this.#adoptSystemFiles(core))
    const start = { epoch: 2n, txn: FIRST_TXN, at: 0, previousCrc: 0, generation: 1n, counters: this.#counters }
    this.#log = new LogWriter(this.image, g, this.identity.salt, start)
    const blockWriter = new BlockWriter(this.image, g, core.superblocks.codec, this.#draft)
    this.#placer = new BlockPlacer(blockWriter, g, this.#key)
  }

  open(): Volume {
    return new Volume(this.image, this.#maker)
  }

  /** Takes over what mkfs made, and returns the pages that are initialised. */
  #adoptSystemFiles(core: Core): CopyPage[] {
    const pages = core.initialisedPages('CORTEX', error => {
      throw error
    })
    return [...pages].map(page => {
      for (const { place, bytes } of slotsOfPage(core, 'CORTEX', page)) {
        const slot = new Slot(bytes)
        this.#slots.take(place, slot.number)
        if (slot.number === ROOT) this.#files.set(ROOT, { anchor: slot.anchor, attributes: slot.attributes })
      }
      return pageInCopy(this.geometry, 'CORTEX', page)
    })
  }

  /** The volume's counters after what was added so far. */
  get #counters(): CounterFields {
    return {
      next_number: BigInt(this.#next),
      live_blocks: BigInt(this.#draft.liveBlocks),
      // The orphan directory and that of public ids are not among them.
      files: BigInt(this.#files.size + 2),
      units: BigInt(this.#draft.units),
    }
  }

  /** Adds a file under directory `parent` (1 = root) and returns its number. */
  add(parent: number, name: string | Uint8Array, spec: FileSpec = {}): number {
    const number = this.#next++
    const type = spec.type ?? (spec.target !== undefined ? 'symlink' : 'regular')
    const empty = { anchor: newAnchor(number, type, spec), attributes: newAttributes(parent, type) }
    if (type === 'directory') this.#names.set(number, [])
    const segments = this.#placer.takeSegments(spec.segments)
    const file = this.#placer.placeContent(this.#withExtensions(empty, spec, segments), spec, segments)
    this.#files.set(number, file)
    this.link(parent, name, number)
    if (type === 'directory') this.change(parent, {}, { nlink: this.#files.get(parent)!.attributes.nlink + 1 })
    this.#dirty.add(number)
    return number
  }

  /** Enters a further name of a file. */
  link(parent: number, name: string | Uint8Array, number: number): void {
    this.#namesOf(parent).push({ name: bytesOf(name), number })
    this.#dirty.add(parent)
    const { anchor, attributes } = this.#files.get(number)!
    if (anchor.permissions >>> 12 !== FILE_TYPES.directory) this.change(number, {}, { nlink: attributes.nlink + 1 })
  }

  /** Takes a name out of a directory and leaves the file as it is: what a lost entry looks like. */
  forget(parent: number, name: string): void {
    const left = this.#namesOf(parent).filter(entry => Buffer.from(entry.name).toString() !== name)
    this.#names.set(parent, left)
    this.#dirty.add(parent)
  }

  #namesOf(directory: number): Name[] {
    const names = this.#names.get(directory)
    if (!names) throw new TypeError(`file ${directory} is no directory`)
    return names
  }

  /** Changes fields of a file as they are: also to illegal states, for tests of damage. */
  change(number: number, anchor: Partial<AnchorFields>, attributes: Partial<AttributeFields> = {}): void {
    const file = this.#files.get(number)!
    this.#files.set(number, {
      anchor: { ...file.anchor, ...anchor },
      attributes: { ...file.attributes, ...attributes },
    })
    this.#dirty.add(number)
  }

  /** Adds a raw item to the next record. */
  item(item: LogItem): void {
    this.#draft.add(item)
  }

  /** Puts a slot on any page, in the next record. */
  slot(place: CortexSlot, bytes: Uint8Array): void {
    this.#draft.slot(place, bytes)
  }

  #withExtensions(file: FileFields, spec: FileSpec, segments: readonly Segment[]): FileFields {
    const parts: ChainPart[] = []
    let out = file
    if (segments.length > 0) {
      out = withFlags(out, 'HAS_SEGMENTS')
      parts.push({ type: 'SEGMENTS', payload: new Uint8Array(Buffer.concat(segments.map(encodeSegment))) })
    }
    if (spec.xattrs) {
      out = withFlags(out, 'HAS_XATTR')
      const entries = Object.entries(spec.xattrs).map(([name, value]) => ({
        name: bytesOf(name),
        value: bytesOf(value),
      }))
      parts.push({ type: 'XATTR', payload: encodeXattrs(entries) })
    }
    if (spec.target !== undefined && spec.target.length > constant('INLINE_MAX')) {
      out = withFlags(out, 'LONG_SYMLINK')
      parts.push({ type: 'SYMLINK', payload: bytesOf(spec.target) })
    }
    if (parts.length === 0) return out
    const { units, end } = layoutChain(file.anchor.number, this.#log.txn, parts, this.#unit)
    this.#unit = end
    for (const [unit, bytes] of units) this.#draft.unit(unit, bytes)
    return { ...out, attributes: { ...out.attributes, extension: units[0]![0] } }
  }

  /** Lays a directory out anew, and frees its old blocks in the same record. */
  #layOutDirectory(number: number): void {
    const file = this.#files.get(number)!
    const entries = this.#namesOf(number).map(({ name, number: target }) => {
      const { anchor } = this.#files.get(target)!
      const { hint, random, permissions } = anchor
      return { name, number: anchor.number, hint, random, type: (permissions >>> 12) & 15 }
    })
    const { blocks, state } = layoutDirectory(this.#key, number, entries)
    const { gravity, gravity1 } = this.#placer.placeDirectory(file, blocks)
    this.#freeDirectory(file)
    const inline = new Uint8Array(DIR_STATE.size)
    encode(DIR_STATE, { ...state, gravity_1: gravity1 }, inline)
    const anchor = {
      mass: BigInt(blocks.length * BLOCK_SIZE),
      gravity_center: BigInt(gravity),
      orbit_vector: blocks.length === 0 ? 0 : 1,
      inline_buffer: inline,
    }
    this.change(number, anchor, { blocks: blocks.length * copyStarts(this.geometry).length })
  }

  #freeDirectory({ anchor }: FileFields): void {
    const count = Number(anchor.mass / BigInt(BLOCK_SIZE))
    if (count === 0) return
    const starts = [Number(anchor.gravity_center), decode(DIR_STATE, anchor.inline_buffer).gravity_1]
    for (const block of starts.filter(block => block !== 0))
      this.#draft.freeBlocks(dataOfBlock(this.geometry, blockNumber(block)), count)
  }

  #writeSlot(number: number): void {
    const { anchor, attributes } = this.#files.get(number)!
    // Every third file goes to its alternate page, so that both are met.
    const place = this.#slots.slotOf(number, anchor.hint, number % 3 === 0)
    if (!place) throw new Error('both pages are full: use a larger volume')
    this.#draft.slot(place, encodeSlot({ ...anchor, write_gen: Number(this.#log.txn) }, attributes))
  }

  /** Writes one log record with everything since the last; `proven`: followed by a checkpoint block that names it. */
  commit(proven = true): bigint {
    for (const number of [...this.#dirty]) if (this.#names.has(number)) this.#layOutDirectory(number)
    for (const number of this.#dirty) this.#writeSlot(number)
    this.#dirty.clear()
    if (this.#log.txn === FIRST_TXN) this.#log.checkpoint()
    const txn = this.#log.append(this.#draft.take(), this.#counters, COMMIT_NS)
    if (proven) this.#log.checkpoint()
    return txn
  }

  /** Writes what the log says in place, in both copies, and moves the tail behind it; `clean`: as an unmount does. */
  writeInPlace(clean = true): void {
    const { geometry: g, identity } = this
    const { pages } = this.open().core
    const init = Array.from({ length: g.pages.INIT }, (_, page) => copyPage(page))
    for (const target of [...this.#draft.initialised, ...init]) {
      const { region, page } = regionOfPage(g, target)
      writeAll(this.image, pageWrites(g, identity.salt, region, page, pages.load(region, page)))
    }
    this.#log.moveTail()
    this.#log.checkpoint(this.#log.txn - 1n, clean)
  }
}
