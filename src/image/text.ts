/** How files are shown: modes, times, ids; and the same as JSON. */
import { hex, uuidText } from '../base/bytes.ts'
import { printableBytes } from '../base/printable.ts'
import type { JsonObject } from '../console/json.ts'
import { flagNames } from '../format/constants.ts'
import type { FileType, Slot } from '../format/slot.ts'
import type { Located } from '../reader/cortex.ts'

const LETTERS: Readonly<Record<FileType, string>> = {
  fifo: 'p',
  'character device': 'c',
  directory: 'd',
  'block device': 'b',
  regular: '-',
  symlink: 'l',
  socket: 's',
}

export function modeOf(slot: Slot): number {
  return slot.anchor.permissions & 0o7777
}

/** `-rw-r--r--`, with s, S, t, T as ls(1) writes them. */
export function modeText(slot: Slot): string {
  const mode = modeOf(slot)
  const triple = (shift: number, special: boolean, letter: string): string => {
    const bits = (mode >> shift) & 7
    const x = (bits & 1) === 1
    const last = special ? (x ? letter : letter.toUpperCase()) : x ? 'x' : '-'
    return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${last}`
  }
  const type = slot.type === null ? '?' : LETTERS[slot.type]
  return (
    type +
    triple(6, (mode & 0o4000) !== 0, 's') +
    triple(3, (mode & 0o2000) !== 0, 's') +
    triple(0, (mode & 0o1000) !== 0, 't')
  )
}

const NS = 1_000_000_000n

/** `2025-01-02 03:04:05.678901234 UTC`; a time that Date cannot hold as seconds since 1970. */
export function timeText(ns: bigint): string {
  const rest = ((ns % NS) + NS) % NS
  const seconds = (ns - rest) / NS
  const fraction = String(rest).padStart(9, '0')
  const date = new Date(Number(seconds) * 1000)
  if (Number.isNaN(date.getTime())) return `${seconds}.${fraction} s`
  return `${date.toISOString().slice(0, 19).replace('T', ' ')}.${fraction} UTC`
}

export function birthNs(slot: Slot): bigint {
  return BigInt(slot.anchor.create_clock) * NS + BigInt(slot.attributes.btime_ns)
}

/** Linux makedev, as `major, minor`. */
export function deviceText(rdev: number): string {
  const major = (rdev >>> 8) & 0xfff
  const minor = (rdev & 0xff) | ((rdev >>> 12) & 0xfff00)
  return `${major}, ${minor}`
}

/** Names of the flags of data_class and of the capabilities. */
export function flagsOf(slot: Slot): string[] {
  const { data_class, permissions } = slot.anchor
  return [...flagNames('DATA_CLASS', data_class), ...flagNames('PERMISSION', BigInt(permissions))].map(name =>
    name.toLowerCase(),
  )
}

/** A file number for --json; null for one that no file can have, which only damage shows. */
export function numberJson(number: bigint): number | null {
  return Number.isSafeInteger(Number(number)) ? Number(number) : null
}

/** Fields of a file for --json. */
export function fileJson(file: Located): JsonObject {
  const { slot } = file
  const { anchor, attributes } = slot
  return {
    number: slot.number,
    type: slot.type ?? 'unknown',
    mode: modeOf(slot),
    mode_text: modeText(slot),
    size_bytes: anchor.mass,
    blocks: attributes.blocks,
    links: attributes.nlink,
    uid: attributes.uid,
    gid: attributes.gid,
    device: attributes.rdev === 0 ? undefined : attributes.rdev,
    accessed_ns: String(attributes.atime),
    modified_ns: String(anchor.mod_clock),
    changed_ns: String(attributes.ctime),
    born_ns: String(birthNs(slot)),
    public_id: uuidText(anchor.public_id),
    seed_id: uuidText(slot.seedId),
    flags: flagsOf(slot),
  }
}

/** A name for --json: as text, and as bytes where the text does not show them all. */
export function nameJson(name: Uint8Array): JsonObject {
  const text = printableBytes(name)
  return Buffer.from(text).equals(name) ? { name: text } : { name: text, name_hex: hex(name) }
}
