/**
 * Names of the host as text: UTF-8, and each byte that is none as U+DC00 and the byte, a lone surrogate (as PEP 383
 * has it), so that a path keeps its bytes. native/node/src/path.rs reads the same.
 */

const LONE = /\p{Surrogate}/u
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes)
  } catch {
    return undefined
  }
}

/** Bytes of the character that begins with `lead`, not ASCII; the rest of them may still be wrong. */
const lengthOf = (lead: number): number => (lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4)

/** The text of a name's bytes; every name has one, and no two have the same. */
export function hostText(bytes: Uint8Array): string {
  const whole = utf8Text(bytes)
  if (whole !== undefined) return whole
  let out = ''
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at] ?? 0
    if (byte < 0x80) {
      out += String.fromCharCode(byte)
      at++
      continue
    }
    const character = utf8Text(bytes.subarray(at, at + lengthOf(byte)))
    out += character ?? String.fromCharCode(0xdc00 + byte)
    at += character === undefined ? 1 : lengthOf(byte)
  }
  return out
}

/** True if the name is UTF-8. */
export const isUtf8 = (text: string): boolean => !LONE.test(text)

/** The byte that a lone surrogate stands for; undefined for other characters. */
function strayByte(character: string): number | undefined {
  const unit = character.charCodeAt(0)
  return character.length === 1 && unit >= 0xdc80 && unit <= 0xdcff ? unit & 0xff : undefined
}

/** The bytes that `hostText` made the text of. */
export function hostBytes(text: string): Buffer {
  if (isUtf8(text)) return Buffer.from(text)
  const parts: Buffer[] = []
  for (const character of text) {
    const byte = strayByte(character)
    parts.push(byte === undefined ? Buffer.from(character) : Buffer.of(byte))
  }
  return Buffer.concat(parts)
}
