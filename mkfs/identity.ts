/** Identity of a new volume: random, or following from a seed so that equal runs give equal bytes. */
import { randomBytes } from 'node:crypto'
import { parseUuid } from '../src/base/bytes.ts'
import { Hn4Error } from '../src/base/error.ts'
import { isUtf8 } from '../src/base/host-text.ts'
import { constant } from '../src/format/constants.ts'
import { siphash24, sipKey } from '../src/format/siphash.ts'
import type { Identity } from '../src/format/superblock.ts'

export interface IdentityOptions {
  readonly label?: string | undefined
  /** 16 bytes as text, or `random`. */
  readonly uuid?: string | undefined
  /** At most 16 bytes; shorter ones are padded with zeros. */
  readonly seed?: Uint8Array | undefined
  readonly createdNs: bigint
}

/** @throws Hn4Error ARGUMENT */
export function makeIdentity(options: IdentityOptions): Identity {
  const draw = options.seed === undefined ? () => new Uint8Array(randomBytes(16)) : derivation(options.seed)
  return {
    uuid: chooseUuid(options.uuid, draw('uuid')),
    salt: draw('salt'),
    hashKey: draw('hash_key'),
    label: labelOf(options.label ?? ''),
    createdNs: options.createdNs,
  }
}

/** 16 bytes by name: SipHash of the name and 0, then of the name and 1, under the seed. */
function derivation(seed: Uint8Array): (name: string) => Uint8Array {
  if (seed.length === 0 || seed.length > 16)
    throw new Hn4Error('ARGUMENT', { text: 'seed: 1 to 16 bytes as hexadecimal digits' })
  const padded = new Uint8Array(16)
  padded.set(seed)
  const key = sipKey(padded)
  return name => {
    const bytes = new Uint8Array(16)
    const view = new DataView(bytes.buffer)
    for (const half of [0, 1]) {
      view.setBigUint64(half * 8, siphash24(key, new Uint8Array([...Buffer.from(name), half])), true)
    }
    return bytes
  }
}

function chooseUuid(wanted: string | undefined, drawn: Uint8Array): Uint8Array {
  if (wanted !== undefined && wanted !== 'random') {
    const given = parseUuid(wanted)
    if (given === null) throw new Hn4Error('ARGUMENT', { text: `uuid: not a UUID: '${wanted}'` })
    return given
  }
  // Version 4, variant 1: RFC 9562.
  drawn[6] = (drawn[6]! & 0x0f) | 0x40
  drawn[8] = (drawn[8]! & 0x3f) | 0x80
  return drawn
}

/** A UUID as text, or `random`. @throws Hn4Error ARGUMENT */
export function newUuid(wanted: string): Uint8Array {
  return chooseUuid(wanted, new Uint8Array(randomBytes(16)))
}

/** @throws Hn4Error ARGUMENT: too long, not UTF-8, or with a NUL */
export function labelOf(text: string): Uint8Array {
  if (!isUtf8(text)) throw new Hn4Error('ARGUMENT', { text: 'label: not UTF-8' })
  const bytes = new TextEncoder().encode(text)
  const most = constant('LABEL_MAX')
  if (bytes.length > most) throw new Hn4Error('ARGUMENT', { text: `label: ${bytes.length} bytes, at most ${most}` })
  if (bytes.includes(0)) throw new Hn4Error('ARGUMENT', { text: 'label: holds a NUL' })
  return bytes
}
