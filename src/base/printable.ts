/**
 * Text as one line that nothing in it can forge. Names, labels and messages of the system pass through
 * here before a terminal or a log sees them.
 */
import { hostBytes, hostText } from './host-text.ts'

// C0 and C1 controls, DEL, line separators, marks and overrides of the writing direction, bytes that are not UTF-8.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\udc80-\udcff]/u

const ALL_UNSAFE = new RegExp(UNSAFE, 'gu')
const escaped = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`

/** Each unsafe character as its bytes, \xNN. A backslash stays: names in the text are escaped already. */
export function printable(text: string): string {
  return text.replace(ALL_UNSAFE, character => [...hostBytes(character)].map(escaped).join(''))
}

/**
 * Bytes of a name or a label: UTF-8 as it is; if it is none, or holds an unsafe character or a backslash,
 * all but plain ASCII as \xNN. Every \xNN in the result is a byte, so that the bytes can be told from it.
 */
export function printableBytes(bytes: Uint8Array): string {
  const text = hostText(bytes)
  if (!UNSAFE.test(text) && !text.includes('\\')) return text
  let out = ''
  for (const byte of bytes) {
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x5c
    out += isPlain ? String.fromCharCode(byte) : escaped(byte)
  }
  return out
}
