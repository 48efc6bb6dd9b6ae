// Who uses whom inside a folder of Rust: imports, method calls (which need no import), free functions and
// fields; the circles in it; how far one operation travels. Text is enough: names, receivers whose type
// is known, and otherwise names that one type alone has. test/tidy holds the order with the same code.
//
//   node scripts/calls.mjs [FOLDER]                rooms and circles; FOLDER: native/core/src/volume
//   node scripts/calls.mjs --files [FOLDER]        files in place of rooms
//   node scripts/calls.mjs --why A B [FOLDER]      each use that A (a room, or a file with --files) makes of B
//   node scripts/calls.mjs --trip NAME [FOLDER]    write, read, create, rename, fsync, commit, or a Type::method
//   node scripts/calls.mjs --doors [FOLDER]        what others use of each folder, and what its list of doors lacks
//   node scripts/calls.mjs --files-imports DIR...  circles of files by imports, Rust and TypeScript
//   --json                                         the same as JSON
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { doorProblems, doorsInUse, foldersWithDoors } from './calls/doors.mjs'
import { rustCircles, typeScriptCircles } from './calls/imports.mjs'
import { crateOf, Module, readTexts } from './calls/module.mjs'
import { entryOf } from './calls/trips.mjs'

/** What a trip passes through besides the module itself: the layer above, and the page cache. */
const BESIDE = ['vfs', 'pages']

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    files: { type: 'boolean' },
    why: { type: 'boolean' },
    trip: { type: 'string' },
    doors: { type: 'boolean' },
    'files-imports': { type: 'boolean' },
    json: { type: 'boolean' },
  },
})

function show(data, lines) {
  console.log(values.json ? JSON.stringify(data, null, 2) : lines.join('\n'))
}

const list = circles =>
  circles.length === 0 ? ['  none'] : circles.map(circle => `  ${circle.length}: ${circle.join(' ')}`)

function circleLines(title, { imports, calls, both }) {
  const all = { 'by imports': imports, 'by calls and fields': calls, 'by both': both }
  return Object.entries(all).flatMap(([how, found]) => ['', `Circles of ${title} ${how}:`, ...list(found)])
}

function structLines(found) {
  if (found === undefined) return []
  const { name, fields, publicFields, methods, publicMethods, sharedMethods, privateMethods } = found
  return [
    '',
    `${name}: ${fields} fields (${publicFields} pub), ${methods} methods (${publicMethods} pub, ${sharedMethods} shared, ${privateMethods} private), ` +
      `${found.implBlocks} impl blocks (${found.implBlocksElsewhere} of them outside)`,
  ]
}

function overview(module) {
  const nameOf = file => (values.files ? module.file(file) : module.room(file))
  const graph = module.graph(nameOf)
  const rooms = module.circles(file => module.room(file))
  const files = module.circles(file => module.file(file))
  const found = module.struct()
  const ambiguous = module.ambiguous.map(({ from, line, name, fns }) => ({
    at: `${from}:${line}`,
    name,
    types: [...new Set(fns.map(fn => fn.owner.name))],
  }))
  const arrows = [...graph.values()].reduce((sum, to) => sum + to.length, 0)
  show({ uses: Object.fromEntries(graph), rooms, files, struct: found, ambiguous }, [
    `${module.prefix}: ${graph.size} ${values.files ? 'files' : 'rooms'}, ${arrows} arrows`,
    '',
    ...[...graph].map(([name, to]) => `${name}: ${to.join(' ')}`),
    ...circleLines('rooms', rooms),
    ...circleLines('files', files),
    ...structLines(found),
    '',
    `Calls that stay undecided: ${ambiguous.length}`,
    ...ambiguous.map(({ at, name, types }) => `  ${at} ${name}: ${types.join(' ')}`),
  ])
}

function why(module, from, to) {
  const nameOf = file => (values.files ? module.file(file) : module.room(file))
  const uses = module.uses.filter(use => nameOf(use.from) === from && nameOf(use.to) === to)
  const found = uses.map(use => ({ kind: use.kind, at: `${use.from}:${use.line}`, name: use.name, of: use.to }))
  show(
    found,
    found.map(({ kind, at, name, of }) => `${at} ${kind} ${name} of ${of}`),
  )
}

function showTrip(module, name) {
  const found = module.trip(entryOf(module.crate, name), BESIDE)
  show(found, [
    `${name}: ${found.fileCount} files (${found.ownFiles} of ${module.prefix}, in ${found.ownRooms} rooms), ${found.moves} moves, ${found.steps.length} functions`,
    ...Object.entries(found.files).map(([file, times]) => `  ${String(times).padStart(3)} ${file}`),
  ])
}

function showDoors(module) {
  const found = foldersWithDoors(module).map(folder => ({
    folder,
    inUse: doorsInUse(module, folder),
    problems: doorProblems(module, folder, ''),
  }))
  show(
    found,
    found.flatMap(({ folder, inUse, problems }) => [
      `${folder}: ${inUse.join(', ')}`,
      ...problems.map(line => `  ${line}`),
    ]),
  )
}

function fileCircles(folders) {
  const found = {}
  const typeScript = new Map()
  for (const folder of folders) {
    if (['lib.rs', 'main.rs'].some(root => existsSync(join(folder, root)))) {
      found[folder] = rustCircles(readTexts(folder))
      continue
    }
    const names = readdirSync(folder, { recursive: true }).filter(name => name.endsWith('.ts'))
    for (const name of names) typeScript.set(join(folder, name), readFileSync(join(folder, name), 'utf8'))
  }
  if (typeScript.size > 0) found.TypeScript = typeScriptCircles(typeScript)
  show(
    found,
    Object.entries(found).flatMap(([name, circles]) => [`${name}:`, ...list(circles)]),
  )
}

function main() {
  if (values['files-imports']) return fileCircles(positionals)
  const names = values.why ? positionals.splice(0, 2) : []
  const { src, prefix } = crateOf(positionals[0] ?? 'native/core/src/volume')
  const module = new Module(readTexts(src), prefix)
  if (values.why) why(module, ...names)
  else if (values.trip !== undefined) showTrip(module, values.trip)
  else if (values.doors) showDoors(module)
  else overview(module)
}

main()
