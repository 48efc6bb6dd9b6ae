import t from 'tap'
import { knownBits } from '../../src/format/constants.ts'
import { type Field, RECORDS, RESERVED } from '../../src/format/layout.ts'

const SIZES = { u8: 1, u16: 2, u32: 4, u48: 6, u64: 8, i64: 8 } as const
const bytesOf = (type: string): number =>
  type in SIZES ? SIZES[type as keyof typeof SIZES] : Number(/^(?:bytes:|zero:)?(\d+)(?: bytes)?$/.exec(type)?.[1])

/** What may be reserved though it has a meaning today. */
const CHANGES = new Set(['PageTrailer.random', 'FileState.gravity_1'])
/** Fields of a record that is longer in the volumes that have them. */
const BEHIND = new Set(['Descriptor'])

t.test('what later features will use is zero today, inside its record, and reserved once', async t => {
  const taken = new Map<string, string>()
  for (const [record, place, name] of RESERVED) {
    const title = `${record}.${name}`
    const found = RECORDS.find(({ name }) => name === record)
    if (found === undefined) return t.fail(`${title}: no such record`)
    const bit = /^(ro_compat|incompat) bit (\d+)$/.exec(place)
    if (bit !== null) {
      const known = bit[1] === 'incompat' ? knownBits('INCOMPAT') : 0n
      t.equal(known & (1n << BigInt(bit[2]!)), 0n, `${title} is not in use`)
      t.notOk(taken.has(`${record} ${place}`), `${title} is reserved once`)
      taken.set(`${record} ${place}`, title)
      continue
    }
    const [, at, type] = /^(0x[0-9a-f]+), (.+)$/.exec(place) ?? []
    const [first, bytes] = [Number(at), bytesOf(type ?? '')]
    for (let byte = first; byte < first + bytes; byte++) {
      const key = `${record} ${byte}`
      if (taken.has(key)) t.fail(`${title} overlaps ${taken.get(key)}`)
      taken.set(key, title)
    }
    if (CHANGES.has(title) || (BEHIND.has(record) && first >= found.size)) continue
    const isZero = (found.fields as readonly Field[]).some(
      ([, offset, type]) => type.startsWith('zero:') && offset <= first && first + bytes <= offset + bytesOf(type),
    )
    t.ok(isZero, `${title} lies in bytes that are zero`)
  }
})
