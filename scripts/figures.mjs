// Writes docs/figures/*.svg and, in the documents, the block of each figure: the picture and the same as text.
// `--check` changes nothing and exits 1 if one is stale.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FIGURES } from './figures/figures.mjs'

const docs = join(dirname(fileURLToPath(import.meta.url)), '../docs')

function block(name) {
  const figure = FIGURES[name]
  if (figure === undefined) throw new Error(`a document asks for an unknown figure: ${name}`)
  return [
    `<!-- figure:${name} -->`,
    `![${figure.title}](figures/${name}.svg)`,
    '',
    '<details><summary>the same as text</summary>',
    '',
    '```',
    figure.ascii(),
    '```',
    '',
    '</details>',
    '<!-- end figure -->',
  ].join('\n')
}

const withFigures = text => text.replace(/<!-- figure:(\w+) -->[\s\S]*?<!-- end figure -->/g, (_, name) => block(name))

const read = path => readFileSync(join(docs, path), 'utf8')
function readIfThere(path) {
  try {
    return read(path)
  } catch {
    // Not there yet: stale.
    return ''
  }
}

const outputs = [
  ...Object.entries(FIGURES).map(([name, figure]) => [`figures/${name}.svg`, figure.svg()]),
  ...readdirSync(docs)
    .filter(name => name.endsWith('.md'))
    .map(name => [name, withFigures(read(name))]),
]

const isCheck = process.argv.includes('--check')
mkdirSync(join(docs, 'figures'), { recursive: true })
for (const [path, text] of outputs) {
  if (readIfThere(path) === text) continue
  if (isCheck) {
    console.error(`docs/${path} is stale: node scripts/figures.mjs`)
    process.exitCode = 1
  } else {
    writeFileSync(join(docs, path), text)
    console.log(`wrote docs/${path}`)
  }
}
