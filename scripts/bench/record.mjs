// Writing what was measured: lines of JSON, charts, and the tables of docs/benchmarks.md.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chart } from './chart.mjs'

/** Where a run's files are committed, below the top of the checkout. */
export const FOLDER = 'docs/benchmarks'
const DOCUMENT = 'docs/benchmarks.md'

/** The machine, then the rows: an object a line. */
export const toLines = (machine, found) => [machine, ...found].map(one => `${JSON.stringify(one)}\n`).join('')

/** { machine, found } of such a file. */
export function readLines(path) {
  const [machine, ...found] = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  return { machine, found }
}

export const machineLine = ({ cpus, kernel, passes, seconds, stolen_percent: stolen }) =>
  `${cpus}, Linux ${kernel}, ${passes} ${passes === 1 ? 'pass' : 'passes'}, ${seconds} s, ${stolen} % of the time taken by the host.`

const slug = text =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')

/** Puts lines between the marks of a section of the document; without marks, throws. */
export function putBetween(text, name, lines) {
  const [begin, end] = [`<!-- measured:${name} -->`, `<!-- end measured:${name} -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${DOCUMENT} has no place for figures of ${name}`)
  const inside = lines.length === 0 ? '' : `\n${lines.join('\n')}\n\n`
  return `${text.slice(0, from + begin.length)}\n${inside}${text.slice(to)}`
}

function putInDocument(top, name, lines) {
  const path = join(top, DOCUMENT)
  writeFileSync(path, putBetween(readFileSync(path, 'utf8'), name, lines))
}

/** Replaces the committed files of a part (`name`) and its section; `tables`: [[title, lines]]. */
export function record({ top, name, machine, found, pictures, tables }) {
  const folder = join(top, FOLDER)
  mkdirSync(folder, { recursive: true })
  for (const old of readdirSync(folder))
    if (old.startsWith(`${name}-`) && old.endsWith('.svg')) rmSync(join(folder, old))
  writeFileSync(join(folder, `${name}.jsonl`), toLines(machine, found))
  for (const { title, svg } of pictures) writeFileSync(join(folder, `${name}-${slug(title)}.svg`), svg)
  putInDocument(top, name, [
    machineLine(machine),
    `The figures as lines of JSON: [${name}.jsonl](benchmarks/${name}.jsonl).`,
    ...tables.filter(([, lines]) => lines.length > 0).flatMap(([title, lines]) => ['', `**${title}**`, '', ...lines]),
    ...pictures.flatMap(({ title }) => ['', `![${title}](benchmarks/${name}-${slug(title)}.svg)`]),
  ])
}

/** Bars of each group. */
export const groupCharts = found =>
  [...new Set(found.map(({ group }) => group))].map(group => ({
    title: group,
    svg: chart(
      group,
      found.filter(one => one.group === group),
    ),
  }))
