import crc32c from 'crc-32/crc32c.js'
import fc from 'fast-check'
import t from 'tap'
import { PACKAGE_VERSION } from '../src/base/package.ts'
import { LAYOUT_HASH } from '../src/format/layout-hash.ts'
import { addon } from '../src/native/addon.ts'
import { runs } from './support/property.ts'

t.test('the addon is of this version and this format', async t => {
  t.equal(addon().version(), PACKAGE_VERSION)
  t.equal(addon().layoutHash(), LAYOUT_HASH)
})

t.test('CRC32C has the check value of RFC 3720', async t => {
  t.equal(addon().crc32c(Buffer.from('123456789')), 0xe3069283)
  t.equal(addon().crc32c(new Uint8Array(32)), 0x8a9136aa)
})

t.test('the addon and crc-32 agree, whole and in two parts', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), fc.nat(), (bytes, cut) => {
      const at = cut % (bytes.length + 1)
      const expected = crc32c.buf(bytes) >>> 0 // crc-32 gives signed numbers
      const parts = addon().crc32c(bytes.subarray(at), addon().crc32c(bytes.subarray(0, at)))
      return addon().crc32c(bytes) === expected && parts === expected
    }),
    runs(200),
  )
})
