/** Flips bytes of files straight in the image, as a rotting disk would, and puts them back. */
import { closeSync, fsyncSync, openSync, readSync, writeSync } from '../base/host-files.ts'
import { BLOCK_SIZE } from '../format/layout.ts'

export interface Flip {
  /** Path inside the volume. */
  readonly path: string
  /** Byte of the file. */
  readonly fileOffset: number
  /** Byte of the image. */
  readonly imageOffset: number
  readonly was: number
}

/** What `hn4 blocks --json` says of one file, as far as it is needed here. */
export interface BlocksDocument {
  readonly equation: {
    readonly gravity: number
    readonly stride: number
    readonly scale: number
    readonly clusters: number
  }
  readonly blocks: number
  readonly runs: ReadonlyArray<{
    readonly index: number
    readonly count: number
    readonly block: number
    readonly via: string
    readonly shell: number
  }>
}

/** Turns all bits of a byte in the middle of the file's first run. */
export function flip(image: string, path: string, blocks: BlocksDocument): Flip {
  const run = blocks.runs[0]
  if (run === undefined) throw new Error(`${path} has no block`)
  const at = Math.floor((run.count - 1) / 2)
  const inBlock = 100
  const imageOffset = (run.block + at) * BLOCK_SIZE + inBlock
  const fd = openSync(image, 'r+')
  try {
    const byte = new Uint8Array(1)
    readSync(fd, byte, 0, 1, imageOffset)
    const was = byte[0] ?? 0
    byte[0] = ~was & 0xff
    writeSync(fd, byte, 0, 1, imageOffset)
    fsyncSync(fd)
    return { path, fileOffset: (run.index + at) * BLOCK_SIZE + inBlock, imageOffset, was }
  } finally {
    closeSync(fd)
  }
}

export function unflip(image: string, flips: readonly Flip[]): void {
  const fd = openSync(image, 'r+')
  try {
    for (const { imageOffset, was } of flips) writeSync(fd, Uint8Array.of(was), 0, 1, imageOffset)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
