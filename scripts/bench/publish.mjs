// What is shown of each part of a measurement (run, fill, costs, growth), printed and in docs/benchmarks.md.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { costsTable } from './costs-table.mjs'
import { goalLines } from './goals.mjs'
import { growthGoalLines } from './growth/goals.mjs'
import { lineChart } from './growth/lines.mjs'
import { SERIES } from './growth/series.mjs'
import { growthTable } from './growth/table.mjs'
import { FOLDER, groupCharts, readLines, record } from './record.mjs'
import { peerTable, sessionTable, speedTable } from './tables.mjs'

export const PARTS = ['run', 'fill', 'costs', 'growth']

/** [[title, lines]]; one without lines is not shown. */
export function tablesOf(name, found) {
  if (name === 'costs') return [['What an operation costs', costsTable(found)]]
  if (name === 'growth')
    return [
      ['First and last point of each curve', growthTable(found)],
      ['Goals', growthGoalLines(found)],
    ]
  return [
    ['Figures', speedTable(found)],
    ['Others, and in brackets how far hn4 is ahead of them', peerTable(found)],
    ['The limit: a daemon in C, and MemVfs on our session', sessionTable(found)],
    ['Goals', goalLines(found)],
  ]
}

/** [{ title, svg }]. */
function picturesOf(name, found) {
  if (name === 'costs') return []
  if (name !== 'growth') return groupCharts(found)
  return SERIES.filter(series => found.some(one => one.series === series.name)).map(series => ({
    title: series.title,
    svg: lineChart(
      series,
      found.filter(one => one.series === series.name),
    ),
  }))
}

/** Writes the files and the section of a part. */
export const publish = (top, name, machine, found) =>
  record({ top, name, machine, found, pictures: picturesOf(name, found), tables: tablesOf(name, found) })

/** The same from the lines of JSON that are there: after a change of tables or charts. */
export function publishAgain(top) {
  for (const name of PARTS) {
    const path = join(top, FOLDER, `${name}.jsonl`)
    if (!existsSync(path)) continue
    const { machine, found } = readLines(path)
    publish(top, name, machine, found)
  }
}
