/** What the bodies of log items are checked with while they are read. */

/** Why an item is wrong; caught and given its place by readItems. */
export class ItemProblem extends Error {}

/** Bytes up to the next multiple of 8. */
export const padded = (bytes: number): number => Math.ceil(bytes / 8) * 8

export function need(body: Uint8Array, size: number): void {
  if (body.length !== size) throw new ItemProblem(`body of ${body.length} bytes, ${size} expected`)
}

/** A number of the disk that must be below `limit`. */
export function below(value: bigint, limit: number, what: string): number {
  if (value >= BigInt(limit)) throw new ItemProblem(`${what} ${value} is not below ${limit}`)
  return Number(value)
}
