/** Small helpers on byte arrays that node:buffer does not have for plain Uint8Array. */

/** Lower-case hexadecimal digits of `bytes`. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}

/** Bytes of a string of hexadecimal digits; null if it is not one. */
export function fromHex(text: string): Uint8Array | null {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return null
  return new Uint8Array(Buffer.from(text, 'hex'))
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

/** True if bytes [from, to) are all zero. */
export function isZero(bytes: Uint8Array, from = 0, to = bytes.length): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== 0) return false
  return true
}

const UTF8 = new TextDecoder('utf-8', { fatal: true })
// C0 and C1 controls, DEL, the backslash itself and the line separators: what could forge a line of output.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\\\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/

/**
 * Bytes of a name or a label as one printable line: UTF-8 as it is; other bytes, controls and
 * the backslash as \xNN.
 */
export function printableBytes(bytes: Uint8Array): string {
  try {
    const text = UTF8.decode(bytes)
    if (!UNSAFE.test(text)) return text
  } catch {
    // Not UTF-8: escaped below.
  }
  let out = ''
  for (const byte of bytes) {
    const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x5c
    out += plain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`
  }
  return out
}

/** The bytes of a 16-byte id as 8-4-4-4-12 hexadecimal digits. */
export function uuidText(bytes: Uint8Array): string {
  return hex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** 16 bytes of a UUID written with or without hyphens; null if it is not one. */
export function parseUuid(text: string): Uint8Array | null {
  if (!/^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$/.test(text)) return null
  return fromHex(text.replaceAll('-', ''))
}
