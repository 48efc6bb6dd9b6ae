/** Finds the superblock in force among the four places (docs/format.md section 1). */
import { Hn4Error, type OnMissing, reasonOf, refuse } from '../base/error.ts'
import type { BlockNumber } from '../base/units.ts'
import type { BlockSource } from '../device/image.ts'
import { namedContent } from '../device/signatures.ts'
import { type BlockCodec, type CodecMaker, PLAIN_CODEC } from '../format/block-codec.ts'
import { checkGeometry, type Geometry, superblockPlaces } from '../format/geometry.ts'
import { FORMAT_VERSION } from '../format/layout.ts'
import {
  decodeSuperblock,
  geometryOf,
  type SuperblockFields,
  superblockProblem,
  unknownIncompat,
} from '../format/superblock.ts'

/** One of the four places: what stands there. */
export interface SuperblockCopy {
  readonly position: number
  readonly block: BlockNumber
  /** Null: valid. */
  readonly problem: string | null
  readonly fields: SuperblockFields | null
}

export interface Superblocks {
  readonly copies: readonly SuperblockCopy[]
  /** The valid copy of highest generation. */
  readonly chosen: SuperblockFields
  readonly chosenPosition: number
  readonly geometry: Geometry
  /** Of the volume's data blocks. */
  readonly codec: BlockCodec
}

/** The problem of a copy whose place the device does not have. */
export const BEHIND_END = 'behind the end of the device'

function readCopy(source: BlockSource, blockCount: number, position: number): SuperblockCopy {
  const block = superblockPlaces(blockCount)[position]!
  if (block < 0 || block >= source.blockCount) return { position, block, problem: BEHIND_END, fields: null }
  try {
    const bytes = source.read(block)
    const problem = superblockProblem(bytes, position)
    if (problem !== null) return { position, block, problem, fields: null }
    const fields = decodeSuperblock(bytes)
    // A superblock that an older, larger or smaller volume left behind does not stand at its own place.
    const isAtHome = superblockPlaces(Number(fields.block_count))[position] === block
    return {
      position,
      block,
      problem: isAtHome ? null : 'of a volume of another size',
      fields: isAtHome ? fields : null,
    }
  } catch (error) {
    return { position, block, problem: reasonOf(error), fields: null }
  }
}

/** What stands in the four places, good or not. */
export function readSuperblockCopies(source: BlockSource): SuperblockCopy[] {
  const copies = [0, 1, 2, 3].map(position => readCopy(source, source.blockCount, position))
  // On a device larger than the volume, or shorter, the head pair says where the tail pair is.
  const blockCount = copies.slice(0, 2).find(copy => copy.fields)?.fields?.block_count
  if (blockCount !== undefined && blockCount !== BigInt(source.blockCount)) {
    for (const position of [2, 3]) {
      if (copies[position]!.problem !== null) copies[position] = readCopy(source, Number(blockCount), position)
    }
  }
  return copies
}

/** The valid copy of highest generation. */
export function bestSuperblock(copies: readonly SuperblockCopy[]): SuperblockCopy | undefined {
  return copies
    .filter(copy => copy.fields !== null)
    .sort((a, b) => Number(b.fields!.generation - a.fields!.generation))[0]
}

/**
 * `maker`: of the codec for descriptors of its size. `onMissing` gets TRUNCATED.
 * @throws Hn4Error NOT_HN4, VERSION, UNSUPPORTED, GEOMETRY, TRUNCATED
 */
export function readSuperblocks(source: BlockSource, maker?: CodecMaker, onMissing: OnMissing = refuse): Superblocks {
  const copies = readSuperblockCopies(source)
  const best = bestSuperblock(copies)
  const chosen = best?.fields
  if (!best || !chosen) throw noSuperblock(source, copies)
  const unknown = unknownIncompat(chosen)
  if (unknown !== 0n) {
    throw new Hn4Error('VERSION', {
      path: source.path,
      text: `the volume has features this version does not know: incompat 0x${unknown.toString(16)}`,
    })
  }
  const codec = codecOf(chosen, source.path, maker)
  const geometry = geometryOf(chosen)
  checkGeometry(geometry, best.position)
  if (geometry.blockCount > source.blockCount) {
    const bytes = (blocks: number): number => blocks * 4096
    onMissing(
      new Hn4Error('TRUNCATED', {
        path: source.path,
        expected: bytes(geometry.blockCount),
        found: bytes(source.blockCount),
      }),
    )
  }
  return { copies, chosen, chosenPosition: best.position, geometry, codec }
}

/** Plain descriptors are of the plain codec; those of another size need that one which is brought along. */
function codecOf(chosen: SuperblockFields, path: string, maker?: CodecMaker): BlockCodec {
  const { descriptor_size: size } = chosen
  if (size === PLAIN_CODEC.descriptorSize) return PLAIN_CODEC
  if (size === maker?.descriptorSize) return maker.make(chosen)
  throw new Hn4Error('UNSUPPORTED', {
    path,
    text: `block descriptors of ${size} bytes are not supported by this version`,
  })
}

function noSuperblock(source: BlockSource, copies: readonly SuperblockCopy[]): Hn4Error {
  const { path } = source
  const version = copies.find(copy => copy.problem?.startsWith('format version'))
  if (version)
    return new Hn4Error('VERSION', { path, text: `${version.problem}; this program knows version ${FORMAT_VERSION}` })
  if (copies.some(copy => copy.problem === 'checksum')) {
    return new Hn4Error('DAMAGED', { path, text: 'every superblock of this hn4 volume is damaged' })
  }
  const what = namedContent(path)
  const text = 'not an hn4 volume: no superblock at its start or end'
  return new Hn4Error('NOT_HN4', { path, text: what === null ? text : `${text}; it holds ${what}` })
}
