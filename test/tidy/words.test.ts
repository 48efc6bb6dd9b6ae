/** What documents and comments say: references lead somewhere, and no word needs what nobody can read. */
import t from 'tap'
import { none } from '../support/faults.ts'
import { References } from '../support/references.ts'
import { paths, sources } from '../support/sources.ts'

const all = sources()

t.test('references to documents, sections, headings and files lead to what is there', async t => {
  const documents = all.filter(({ path }) => path.endsWith('.md'))
  const references = new References(documents, paths())
  const withReferences = all.filter(({ path }) => /\.(ts|mjs|rs|sh|toml|yml|md)$/.test(path))
  const found = withReferences.flatMap(source => references.problems(source).map(problem => ({ source, problem })))
  for (const { source, problem } of found) t.comment(`${source.path}: ${problem}`)
  none(
    t,
    found.map(({ problem }) => problem),
  )
  t.ok(documents.length > 10, 'there are documents')
})

/** Put together from parts, so that this file does not find itself. */
const BANNED = [['the', 'brief']].map(parts => new RegExp(String.raw`\b${parts.join(String.raw`\s+(?:\W\s)?`)}\b`, 'i'))

t.test('no document or comment argues with a text that nobody can read', async t => {
  const found = all.filter(({ text }) => BANNED.some(word => word.test(text)))
  none(
    t,
    found.map(source => source.path),
  )
})
