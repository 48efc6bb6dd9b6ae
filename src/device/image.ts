/** An image, file or block device, opened for reading. Nothing here writes. */
import { Hn4Error, ioError } from '../base/error.ts'
import { closeSync, constants, fstatSync, openSync, readSync } from '../base/host-files.ts'
import type { BlockNumber } from '../base/units.ts'
import { BLOCK_SIZE } from '../format/layout.ts'
import { openError, refuseStrange } from './refusal.ts'
import { sizeOfTarget } from './size.ts'

/** Blocks that can be read: an image, or one in memory for tests. */
export interface BlockSource {
  readonly path: string
  /** Whole blocks of the device. */
  readonly blockCount: number
  /** Reads `count` blocks into a new buffer. @throws Hn4Error IO, also behind the end */
  read(block: BlockNumber, count?: number): Uint8Array
  /** What changes when somebody writes to it; absent or empty where nothing tells. */
  stamp?(): string
  close(): void
}

export class ImageFile implements BlockSource {
  readonly path: string
  readonly blockCount: number
  readonly sizeBytes: number
  readonly #fd: number

  /** Its descriptor, for a lock. */
  get fd(): number {
    return this.#fd
  }

  /** Size and time of the last write; a block device has none that counts. */
  stamp(): string {
    const { size, mtimeNs, rdev } = fstatSync(this.#fd, { bigint: true })
    return rdev === 0n ? `${size} ${mtimeNs}` : ''
  }

  constructor(path: string) {
    this.path = path
    if (path === '') throw new Hn4Error('ARGUMENT', { text: 'an empty image name' })
    refuseStrange(path)
    try {
      // Not to wait for somebody who writes into a named pipe.
      this.#fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    } catch (error) {
      throw openError(path, error)
    }
    try {
      this.sizeBytes = sizeOfTarget(this.#fd, path).bytes
      this.blockCount = Math.floor(this.sizeBytes / BLOCK_SIZE)
    } catch (error) {
      closeSync(this.#fd)
      throw error
    }
  }

  read(block: BlockNumber, count = 1): Uint8Array {
    if (block < 0 || block + count > this.blockCount) {
      throw new Hn4Error('IO', { path: this.path, block, text: 'read behind the end of the device' })
    }
    const buffer = new Uint8Array(count * BLOCK_SIZE)
    let done = 0
    while (done < buffer.length) {
      const got = this.#readOnce(buffer, done, block)
      if (got === 0) throw new Hn4Error('IO', { path: this.path, block, text: 'the device ended during a read' })
      done += got
    }
    return buffer
  }

  #readOnce(buffer: Uint8Array, done: number, block: BlockNumber): number {
    try {
      return readSync(this.#fd, buffer, done, buffer.length - done, block * BLOCK_SIZE + done)
    } catch (error) {
      throw ioError(this.path, `read of block ${block}`, error)
    }
  }

  close(): void {
    closeSync(this.#fd)
  }
}
