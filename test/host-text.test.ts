/** Names of the host as text: every name has one, and it leads back to the bytes. */
import fc from 'fast-check'
import t from 'tap'
import { hostBytes, hostText, isUtf8 } from '../src/base/host-text.ts'
import { printable, printableBytes } from '../src/base/printable.ts'
import { jsonText } from '../src/console/json.ts'
import { runs } from './support/property.ts'

/** Bytes that are near UTF-8: cut, overlong, surrogates, a byte order mark. */
const piece = fc.oneof(
  fc.uint8Array({ maxLength: 6 }),
  fc.string({ unit: 'binary', maxLength: 4 }).map(text => new Uint8Array(Buffer.from(text))),
  fc.constantFrom([0xed, 0xb2, 0x80], [0xc0, 0xaf], [0xef, 0xbb, 0xbf], [0xf0, 0x9f, 0x98], [0x5c, 0x78, 0x66, 0x66]),
)
const names = fc.array(piece, { maxLength: 8 }).map(parts => Buffer.concat(parts.map(part => Buffer.from(part))))

t.test('bytes come back from their text, also through JSON', async () => {
  fc.assert(
    fc.property(names, bytes => {
      const text = hostText(bytes)
      if (!hostBytes(text).equals(bytes)) return false
      if (isUtf8(text) !== Buffer.from(text).equals(bytes)) return false
      const document = JSON.parse(jsonText({ path: text })) as { path: string; path_hex?: string }
      const back = document.path_hex === undefined ? Buffer.from(document.path) : Buffer.from(document.path_hex, 'hex')
      return back.equals(bytes)
    }),
    runs(2000),
  )
})

t.test('what is shown is one line of text, and the bytes can be read from it', async t => {
  fc.assert(
    fc.property(names, bytes => {
      const shown = printableBytes(bytes)
      const back = shown.includes('\\')
        ? Buffer.from(
            shown.replace(/\\x([0-9a-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))),
            'latin1',
          )
        : Buffer.from(shown)
      return back.equals(bytes) && isUtf8(printable(hostText(bytes)))
    }),
    runs(2000),
  )
  t.equal(printable('a\udcff\ud83d\ude00'), 'a\\xff\u{1f600}')
  t.equal(printable('two\nlines'), 'two\\x0alines')
})
