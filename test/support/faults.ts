/** Faults that a rule of test/tidy finds: there is none. */
export function none(
  t: { fail(message: string): unknown; pass(message: string): unknown },
  faults: Iterable<string>,
): void {
  const found = new Set(faults)
  for (const fault of found) t.fail(fault)
  t.pass(`${found.size} found`)
}
