/** Where written blocks go: an open image, or one in memory for tests. */
import { ioError } from '../base/error.ts'
import { fsyncSync, writeSync } from '../base/host-files.ts'
import type { BlockNumber } from '../base/units.ts'
import { BLOCK_SIZE } from '../format/layout.ts'

/** Whole blocks and the first block they go to. */
export interface BlockWrite {
  readonly block: BlockNumber
  readonly bytes: Uint8Array
}

export interface BlockSink {
  /** Writes whole blocks from `block` on. @throws Hn4Error */
  write(block: BlockNumber, bytes: Uint8Array): void
  /** Returns when everything written is durable. @throws Hn4Error */
  flush(): void
}

export function writeAll(sink: BlockSink, writes: readonly BlockWrite[]): void {
  for (const { block, bytes } of writes) sink.write(block, bytes)
}

/** The blocks of an open file or device. */
export class FileSink implements BlockSink {
  readonly #fd: number
  readonly #path: string

  /** `path` is for error messages only. */
  constructor(fd: number, path: string) {
    this.#fd = fd
    this.#path = path
  }

  write(block: BlockNumber, bytes: Uint8Array): void {
    try {
      let done = 0
      while (done < bytes.length)
        done += writeSync(this.#fd, bytes, done, bytes.length - done, block * BLOCK_SIZE + done)
    } catch (error) {
      throw ioError(this.#path, `write of block ${block}`, error)
    }
  }

  flush(): void {
    try {
      fsyncSync(this.#fd)
    } catch (error) {
      throw ioError(this.#path, 'flush', error)
    }
  }
}
