/**
 * Writes an empty volume. Order, so that a crash at any point leaves either the old content without
 * an hn4 superblock, or the finished volume:
 *
 * 1. the superblock places of the volume, and those at the end of a larger device, become zero, flush:
 *    an old volume cannot come back half overwritten, nor its tail pair win by its generation;
 * 2. log and checkpoint blocks zero (really written: a record written later into a hole costs a flush
 *    of the host's metadata), the initialised map, the system directories, the checkpoint, flush;
 * 3. the four superblocks, flush.
 *
 * Nothing else is written: pages that the initialised map does not name are empty, whatever the disk holds.
 */
import { type BlockNumber, blockNumber } from '../src/base/units.ts'
import { checkpointPlaces, type Geometry, superblockPlaces } from '../src/format/geometry.ts'
import { BLOCK_SIZE } from '../src/format/layout.ts'
import type { Identity } from '../src/format/superblock.ts'
import { type BlockSink, writeAll } from '../src/writer/sink.ts'
import { closedCheckpoint, metadataWrites, type Owner, SUPERUSER, superblockWrites } from './new-volume.ts'

const ZEROS = new Uint8Array(256 * BLOCK_SIZE)

/** `deviceBlocks`: whole blocks of the device, at least those of the volume. `owner`: of the root directory. */
export function writeVolume(
  sink: BlockSink,
  g: Geometry,
  id: Identity,
  deviceBlocks: number,
  owner: Owner = SUPERUSER,
): void {
  const places = new Set([...superblockPlaces(g.blockCount), ...superblockPlaces(deviceBlocks)])
  for (const block of places) writeZeros(sink, block, 1)
  sink.flush()
  writeZeros(sink, g.logStart, g.logBlocks)
  for (const slot of [0, 1]) writeZeros(sink, checkpointPlaces(g, slot)[1]!, 1)
  writeAll(sink, metadataWrites(g, id, owner))
  writeAll(sink, closedCheckpoint(g, id))
  sink.flush()
  writeAll(sink, superblockWrites(g, id))
  sink.flush()
}

function writeZeros(sink: BlockSink, first: BlockNumber, count: number): void {
  const step = ZEROS.length / BLOCK_SIZE
  for (let done = 0; done < count; done += step) {
    const blocks = Math.min(step, count - done)
    sink.write(blockNumber(first + done), ZEROS.subarray(0, blocks * BLOCK_SIZE))
  }
}
