/**
 * Whether an image is as it was when it was opened. A reader of a volume that somebody writes to meanwhile finds
 * damage where there is none; what it found then does not count.
 */

import { equalBytes } from '../base/bytes.ts'
import { Hn4Error, isDamage } from '../base/error.ts'
import type { BlockNumber } from '../base/units.ts'
import type { BlockSource } from '../device/image.ts'
import { checkpointPlaces, superblockPlaces } from '../format/geometry.ts'
import type { Volume } from './volume.ts'

export class Unchanged {
  readonly #source: BlockSource
  readonly #stamp: string
  #blocks: readonly (readonly [BlockNumber, Uint8Array | null])[] = []
  #isChanged = false

  /** Call before the first read. */
  constructor(source: BlockSource) {
    this.#source = source
    this.#stamp = source.stamp?.() ?? ''
  }

  /** Also looks at the blocks that every mount of the volume writes: all that there is on a block device. */
  watch({ core }: Volume): void {
    const { geometry } = core
    const places = [
      ...superblockPlaces(geometry.blockCount),
      ...[0, 1].flatMap(slot => checkpointPlaces(geometry, slot)),
    ]
    this.#blocks = places.map(place => [place, this.#read(place)])
  }

  /** Stays true once it was. */
  get isChanged(): boolean {
    this.#isChanged ||=
      (this.#source.stamp?.() ?? '') !== this.#stamp || this.#blocks.some(block => this.#differs(...block))
    return this.#isChanged
  }

  /** The error to show for `error`: damage of an image that changes is none. */
  judge(error: unknown): unknown {
    return isDamage(error) && this.isChanged ? this.error() : error
  }

  error(): Hn4Error {
    return new Hn4Error('CHANGED', { path: this.#source.path, hint: 'read it again when nobody writes to it' })
  }

  #differs(place: BlockNumber, before: Uint8Array | null): boolean {
    const now = this.#read(place)
    return now === null || before === null ? now !== before : !equalBytes(now, before)
  }

  /** Null: it cannot be read. */
  #read(place: BlockNumber): Uint8Array | null {
    try {
      return this.#source.read(place)
    } catch {
      return null
    }
  }
}
