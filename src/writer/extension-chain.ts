/** Chains of extension records: payloads cut into records, records laid into units (docs/format.md section 6). */
import { constant, type ExtensionName, extensionType } from '../format/constants.ts'
import { EXTENSION_PAYLOAD_MAX, encodeExtension, UNIT_SIZE, unitsOf } from '../format/extension.ts'

const PER_PAGE = constant('UNITS_PER_PAGE')

/** One extension of a file; a payload longer than a record becomes several records. */
export interface ChainPart {
  readonly type: ExtensionName
  readonly payload: Uint8Array
}

export interface Chain {
  /** Unit number and its 256 bytes; the first is where the chain begins. */
  readonly units: readonly (readonly [unit: number, bytes: Uint8Array])[]
  /** First unit behind the chain. */
  readonly end: number
}

/** Lays a chain of file `owner` into units from `from` on; no record crosses a page. `txn` is its transaction. */
export function layoutChain(owner: bigint, txn: bigint, parts: readonly ChainPart[], from: number): Chain {
  const records = parts.flatMap(({ type, payload }) => {
    const count = Math.ceil(payload.length / EXTENSION_PAYLOAD_MAX)
    return Array.from({ length: count }, (_, i) => {
      const at = i * EXTENSION_PAYLOAD_MAX
      return { type, payload: payload.subarray(at, at + EXTENSION_PAYLOAD_MAX) }
    })
  })
  let end = from
  const starts = records.map(({ payload }) => {
    const units = unitsOf(payload.length)
    if ((end % PER_PAGE) + units > PER_PAGE) end = Math.ceil(end / PER_PAGE) * PER_PAGE
    const start = end
    end += units
    return start
  })
  const units = records.flatMap(({ type, payload }, i) => {
    const next = BigInt(starts[i + 1] ?? 0)
    const generation = Number(BigInt.asUintN(32, txn))
    const bytes = encodeExtension({ type: extensionType(type), next, owner, generation }, payload)
    return Array.from(
      { length: bytes.length / UNIT_SIZE },
      (_, unit) => [starts[i]! + unit, bytes.subarray(unit * UNIT_SIZE, (unit + 1) * UNIT_SIZE)] as const,
    )
  })
  return { units, end }
}
