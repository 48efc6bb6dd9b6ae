/** Plain tables for people. */
import { printable } from '../base/printable.ts'

/** Not Math.max(...): a listing may have more rows than a call may have arguments. */
const widest = (texts: readonly string[]): number => texts.reduce((most, text) => Math.max(most, text.length), 0)

/** `Label:      backup` lines, values aligned. */
export function keyValues(rows: ReadonlyArray<readonly [string, string]>): string {
  const width = widest(rows.map(([name]) => name)) + 1
  return rows.map(([name, value]) => `${`${name}:`.padEnd(width)} ${printable(value)}\n`).join('')
}

/** Columns with a heading; those whose heading starts with `>` are aligned to the right. */
export function columns(headings: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const right = headings.map(heading => heading.startsWith('>'))
  const all = [headings.map(heading => heading.replace(/^>/, '')), ...rows.map(row => row.map(printable))]
  const widths = headings.map((_, i) => widest(all.map(row => row[i] ?? '')))
  const cell = (text: string, i: number) => (right[i] ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0))
  return all
    .map(
      row =>
        `${headings
          .map((_, i) => cell(row[i] ?? '', i))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}
