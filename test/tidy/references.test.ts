/** The rules of references on small documents with one fault each. */
import t from 'tap'
import { anchorOf, commentsOf, headingsOf, References } from '../support/references.ts'

const DESIGN = `# Why
## 3. The log
### Recovery
**Failure.** Once and for good.
## 4. Space
What section 3 says.
`
const documents = [
  { path: 'docs/design.md', text: DESIGN },
  { path: 'docs/adr/0001-names.md', text: '# Names\n' },
  { path: 'README.md', text: '# Read me\n## Two words\n' },
]
const references = new References(documents, [
  ...documents.map(({ path }) => path),
  'src/base/error.ts',
  'native/core/src/volume/mod.rs',
])
const inCode = (comment: string) => references.problems({ path: 'src/x.ts', text: `// ${comment}\nexport {}\n` })
const inDocument = (text: string) => references.problems({ path: 'docs/design.md', text: `${DESIGN}\n${text}\n` })

const GOOD = [
  'docs/design.md',
  'docs/design.md 3',
  'docs/design.md section 3)',
  'docs/design.md 3, "Recovery"',
  'docs/design.md, "recovery"',
  'docs/design.md, section "Space"',
  'design.md "space"',
  'docs/design.md 3, Recovery)',
  'docs/design.md 3 and 4',
  'docs/design.md 3, "Failure"',
  'docs/design.md#3-the-log',
  'section 4 of design.md',
  'adr/0001-names.md',
  'src/base/error.ts',
  'volume/mod.rs',
  'volume/*.rs',
  'anchor protocol, section 9',
]
for (const reference of GOOD) t.test(`there is: ${reference}`, async t => t.same(inCode(reference), []))

const BAD: Record<string, string> = {
  'docs/desing.md': 'docs/desing.md: no such document',
  'docs/design.md 5': 'docs/design.md has no section 5',
  'docs/design.md section 3.4': 'docs/design.md has no section 3.4',
  'docs/design.md 3 and 5': 'docs/design.md has no section 5',
  'docs/design.md, "Allocation"': 'docs/design.md has no heading "Allocation"',
  'docs/design.md 4, "Recovery"': 'docs/design.md 4 has no heading "Recovery"',
  'docs/design.md 4, Recovery)': 'docs/design.md 4 has no heading "Recovery"',
  'docs/design.md#4-the-log': 'docs/design.md has no heading #4-the-log',
  'section 9 of design.md': 'docs/design.md has no section 9',
  'src/base/errors.ts': 'src/base/errors.ts: no such file',
  'volume/mode.rs': 'volume/mode.rs: no such file',
}
for (const [reference, why] of Object.entries(BAD)) {
  t.test(`there is no: ${reference}`, async t => {
    const found = inCode(reference)
    t.ok(
      found.some(problem => problem.endsWith(why)),
      found.join('\n'),
    )
  })
}

t.test('a reference goes over the end of a line', async t => {
  const text = '/// As in docs/design.md\n/// section 8: text.\n/** docs/design.md,\n * "Nothing" */\n'
  t.same(references.problems({ path: 'native/core/src/x.rs', text }), [
    'docs/design.md section 8: docs/design.md has no section 8',
    'docs/design.md, "Nothing": docs/design.md has no heading "Nothing"',
  ])
})

t.test('links, anchors and sections of a document lead somewhere', async t => {
  t.same(inDocument('[a](../README.md#two-words), [b](#recovery), [c](https://example.org/x.md), ![d](adr/)'), [])
  t.same(inDocument('[a](../README.md#three)'), ['(../README.md#three): README.md has no heading #three'])
  t.same(inDocument('[a](#nowhere)'), ['(#nowhere): docs/design.md has no heading #nowhere'])
  t.same(inDocument('[a](missing.svg)'), ['(missing.svg): no such file'])
  t.same(inDocument('as section 7 says'), ['section 7: docs/design.md has no section 7'])
  t.same(inDocument('the files of src/vault and src/base'), ['src/vault: no such file'])
})

t.test('numbers behind a document that count a list or a row are no sections', async t => {
  t.same(inDocument('1. design.md\n2. more\n\n| design.md |\n| 4,096 | 9 |'), [])
})

t.test('code is not looked at, comments are', async t => {
  const source = { path: 'x.ts', text: "const url = 'docs/none.md' // docs/design.md 3\n/* two\n * lines */ run()\n" }
  t.notMatch(commentsOf(source), /none|run|const/)
  t.match(commentsOf(source), /docs\/design\.md 3[\s\S]*two[\s\S]*lines/)
  t.match(commentsOf({ path: 'x.sh', text: 'run # docs/x.md\n' }), /^ {6}docs\/x\.md$/)
})

t.test('headings with their sections and anchors', async t => {
  t.match(headingsOf(DESIGN), [
    { title: 'Why', section: undefined, anchor: 'why' },
    { title: 'The log', section: '3', anchor: '3-the-log' },
    { title: 'Recovery', section: '3' },
    { title: 'Failure', section: '3' },
    { title: 'Space', section: '4' },
  ])
  t.equal(anchorOf('V = 1 against M = 0, and 4'), 'v--1-against-m--0-and-4')
})
