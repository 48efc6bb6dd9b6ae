// Runs the benchmarks: `npm run bench:micro`, or `npm run bench:micro -- crc` for those whose name contains "crc".
// A benchmark is a file of scripts/bench/micro/ that exports `title` and `run()`, which returns rows of
// [what, figure, unit]. Figures belong here, not into tests.
import { cpus } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { filesBelow } from './bootstrap/stamps.mjs'
import { stop } from './bootstrap/tools.mjs'

const folder = join(dirname(fileURLToPath(import.meta.url)), 'bench/micro')
const filters = process.argv.slice(2)
const files = filesBelow(folder, ['.mjs']).filter(f => filters.length === 0 || filters.some(x => f.includes(x)))
if (files.length === 0) stop(`bench: nothing matches ${filters.join(' ')}`, 16)

console.log(`${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.versions.node}`)
for (const file of files) {
  const { title, run } = await import(pathToFileURL(file).href)
  console.log(`\n${title}`)
  const rows = await run()
  const width = Math.max(...rows.map(([what]) => what.length))
  for (const [what, figure, unit] of rows) {
    console.log(
      `  ${what.padEnd(width)}  ${figure.toLocaleString('en', { maximumFractionDigits: 1 }).padStart(10)} ${unit}`,
    )
  }
}
