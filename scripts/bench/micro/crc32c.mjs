// Why bulk work hands regions to the addon: the same checksum in both languages.
import crc32c from 'crc-32/crc32c.js'
import { addon } from '../../../dist/src/native/addon.js'

export const title = 'CRC32C of 1 MiB'

const MIB = new Uint8Array(1 << 20).map((_, i) => (i * 31) & 255)

/** MiB per second, best of five: the machine has other things to do. */
function rate(sum, rounds) {
  let best = 0
  for (let repeat = 0; repeat < 5; repeat++) {
    const start = process.hrtime.bigint()
    for (let i = 0; i < rounds; i++) sum(MIB)
    best = Math.max(best, (rounds * 1e9) / Number(process.hrtime.bigint() - start))
  }
  return best
}

export function run() {
  return [
    ['addon', rate(bytes => addon().crc32c(bytes), 200), 'MiB/s'],
    ['crc-32', rate(bytes => crc32c.buf(bytes), 20), 'MiB/s'],
  ]
}
