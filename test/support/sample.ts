/** A volume with one file of every kind, and what must be read from it. */

import type { CodecMaker } from '../../src/format/block-codec.ts'
import { BLOCK_SIZE } from '../../src/format/layout.ts'
import { VolumeBuilder } from './builder.ts'

/** Bytes that differ from block to block and follow from `seed`. */
export function pattern(bytes: number, seed: number): Uint8Array {
  const out = new Uint8Array(bytes)
  let state = seed >>> 0 || 1
  for (let i = 0; i < bytes; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    out[i] = state >>> 24
  }
  return out
}

export interface Sample {
  readonly builder: VolumeBuilder
  /** Content by path. */
  readonly contents: ReadonlyMap<string, Uint8Array>
  readonly links: ReadonlyMap<string, string>
  readonly numbers: ReadonlyMap<string, number>
}

export const LONG_TARGET = 'a/very/long/target/that/does/not/fit/into/an/anchor'

/** `form`: replayed from the log, or written in place and closed. */
export function sample(form: 'log' | 'in place', copies: 1 | 2 = 2, filler = 0, codec?: CodecMaker): Sample {
  const builder = new VolumeBuilder(4096, { copies, codec }, filler)
  const contents = new Map<string, Uint8Array>()
  const numbers = new Map<string, number>()
  const file = (
    parent: number,
    path: string,
    spec: Parameters<VolumeBuilder['add']>[2] & { content: Uint8Array },
    seen = spec.content,
  ): void => {
    numbers.set(path, builder.add(parent, path.split('/').at(-1)!, spec))
    contents.set(path, seen)
  }
  const dir = builder.add(1, 'dir', { type: 'directory' })
  numbers.set('/dir', dir)
  file(1, '/empty', { content: new Uint8Array(0) })
  file(1, '/inline', { content: pattern(28, 1) })
  file(1, '/small', { content: pattern(29, 2) })
  file(dir, '/dir/plain', {
    content: pattern(10 * BLOCK_SIZE + 77, 3),
    xattrs: { 'user.note': 'hello', 'user.empty': '' },
  })
  file(dir, '/dir/segments', {
    content: pattern(12 * BLOCK_SIZE, 4),
    segments: [
      [2, 3],
      [7, 1],
    ],
  })
  file(dir, '/dir/scattered', { content: pattern(9 * BLOCK_SIZE, 5), shell1: [1, 5], area: [3, 8] })
  file(dir, '/dir/strided', { content: pattern(6 * BLOCK_SIZE - 1, 6), stride: 37, scale: 0 })
  file(dir, '/dir/clusters', { content: pattern(11 * BLOCK_SIZE, 7), stride: 1, scale: 2 })
  const holed = pattern(8 * BLOCK_SIZE, 8)
  for (const hole of [0, 3, 4]) holed.fill(0, hole * BLOCK_SIZE, (hole + 1) * BLOCK_SIZE)
  file(1, '/holes', { content: holed, holes: [0, 3, 4] })
  const deep = new Uint8Array(60 * BLOCK_SIZE)
  deep.set(holed)
  file(1, '/deep-holes', { content: holed, holes: [0, 3, 4], height: 2, sizeBytes: deep.length }, deep)
  const prepared = pattern(5 * BLOCK_SIZE, 9).fill(0, 2 * BLOCK_SIZE, 4 * BLOCK_SIZE)
  file(1, '/prepared', { content: prepared, unwritten: [2, 3] })
  const links = new Map([
    ['/link', 'dir/plain'],
    ['/long-link', LONG_TARGET],
  ])
  for (const [path, target] of links) numbers.set(path, builder.add(1, path.slice(1), { target }))
  numbers.set('/fifo', builder.add(1, 'fifo', { type: 'fifo' }))
  numbers.set('/device', builder.add(1, 'device', { type: 'block device' }))
  builder.link(dir, 'hard', numbers.get('/small')!)
  contents.set('/dir/hard', contents.get('/small')!)
  const many = builder.add(1, 'many', { type: 'directory' })
  for (let i = 0; i < 400; i++) {
    const path = `/many/file number ${i} with a name of some length`
    file(many, path, { content: new Uint8Array(Buffer.from(`content ${i}`)) })
  }
  builder.add(many, new Uint8Array([0xff, 0x0a, 0x41]), {})
  builder.commit()
  // A second transaction: the root directory moves, its old blocks are freed.
  file(1, '/late', { content: pattern(3 * BLOCK_SIZE, 10) })
  builder.commit()
  if (form === 'in place') builder.writeInPlace()
  return { builder, contents, links, numbers }
}
