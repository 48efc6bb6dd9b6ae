/** The rules of scripts/calls.mjs on small crates with one fault each. */
import t from 'tap'
import { entryOf, Module, orderFaults, rustCircles, type Texts, typeScriptCircles } from '../support/calls.ts'

/** A crate with `volume/`, whose mod.rs begins with `mod` lines for the files given. */
function crate(mod: string, files: Record<string, string>): Texts {
  const names = [...new Set(Object.keys(files).map(name => name.replace(/(\/mod)?\.rs$/, '').split('/')[0]))]
  const inside = Object.entries(files).map(([name, text]): [string, string] => [`volume/${name}`, text])
  const head = names.map(name => `mod ${name};\n`).join('')
  return new Map([['lib.rs', 'pub mod volume;'], ['volume/mod.rs', head + mod], ...inside])
}

const orderProblems = (module: Module, order: readonly string[]) => orderFaults(module, order).map(({ line }) => line)

const ORDER = ['low', 'high', 'mod']
const STRUCT = 'pub struct Volume { pub low: low::Low, pub high: std::sync::Mutex<high::High>, count: u64 }'
const HIGH = `
  use super::Volume;
  #[derive(Default)]
  pub struct High { pub size: u64, list: Vec<Item>, by_number: BTreeMap<u64, Arc<Item>> }
  pub struct Item;
  impl Item { pub fn rise(&self) {} }
  pub struct Guard<'a>(&'a Item);
  impl std::ops::Deref for Guard<'_> { type Target = Item; fn deref(&self) -> &Item { self.0 } }
  impl High { pub fn items(&self) -> Result<&[Item]> { Ok(&self.list) } pub fn guard(&self) -> Option<Guard<'_>> { None } }
  impl Volume { pub fn down(&self) -> Option<Item> { None } }
  pub fn free(volume: &Volume) {}
  pub const LIMIT: u64 = 1;
`

const problems = (low: string, mod = STRUCT) => {
  const base = mod === STRUCT ? 'pub struct Low;' : ''
  return orderProblems(new Module(crate(mod, { 'low.rs': `${base} ${low}`, 'high.rs': HIGH }), 'volume'), ORDER)
}

t.test('a method call needs no import and is found', async t => {
  t.same(problems('impl super::Volume { fn up(&self) { self.down(); } }'), [
    'low calls Volume::down of high: high is not below low',
  ])
})

const RECEIVERS: Record<string, string> = {
  'an argument': 'fn up(volume: &Arc<Volume>) { volume.down(); }',
  'a field of another struct': 'struct Walk<'.concat(
    "'a> { volume: &'a Volume } impl Walk<'_> { fn up(&self) { self.volume.down(); } }",
  ),
  'a local name': 'fn up(one: &Volume) { let two = one; if true { two.down(); } }',
  'a closure': 'fn up(volume: &Volume) { run(move || volume.down()) }',
  'a macro': 'fn up(volume: &Volume) { debug_assert!(volume.down().is_some()); }',
  'the name of the type': 'fn up(volume: &Volume) { Volume::down(volume); }',
  'no call, the function itself': 'fn up(volume: Option<&Volume>) { volume.and_then(Volume::down); }',
}

for (const [title, code] of Object.entries(RECEIVERS)) {
  t.test(`a method is found through ${title}`, async t => {
    t.same(problems(`use super::Volume; ${code}`), ['low calls Volume::down of high: high is not below low'])
  })
}

const INFERRED: Record<string, string> = {
  'the result of a method': 'let Some(item) = volume.down() else { return }; item.rise();',
  'a lock and a list': 'for item in volume.high.lock().items()?.iter() { item.rise(); }',
  'a map': 'let high = volume.high.lock(); let item = high.by_number.get(&1).cloned().unwrap(); item.rise()',
  'a match': 'match volume.down() { Some(item) if true => item.rise(), _ => {} }',
  'a condition of two': 'if let Some(item) = volume.down() && volume.count > 0 { item.rise() }',
  Deref: 'volume.high.lock().guard().unwrap().rise()',
  'a closure that says no type': 'volume.down().map(|item| item.rise());',
}

for (const [title, code] of Object.entries(INFERRED)) {
  t.test(`the type of a receiver is known through ${title}`, async t => {
    const found = problems(`use super::Volume; fn up(volume: &Volume) -> Result<()> { ${code} }`)
    t.ok(found.includes('low calls Item::rise of high: high is not below low'), found.join('\n'))
  })
}

t.test('free functions, constants and paths are found', async t => {
  t.same(problems('fn up(volume: &super::Volume) { super::high::free(volume); }'), [
    'low calls free of high: high is not below low',
    'low imports free of high: high is not below low',
  ])
  t.same(problems('use super::high::LIMIT;'), ['low imports LIMIT of high: high is not below low'])
  t.same(problems('fn up(high: &crate::volume::high::High) {}'), ['low imports High of high: high is not below low'])
})

t.test('a field is a use of the room that its type comes from', async t => {
  const found = ['low uses Volume.high of high: high is not below low']
  t.same(problems('impl super::Volume { fn up(&self) { drop(&self.high); } }'), found)
  t.same(problems('impl super::Volume { fn up(&self) { drop(&self.low); self.count; } }'), [])
})

t.test('a room beside the order is named', async t => {
  const texts = crate('pub struct Volume { a: u64 }', { 'low.rs': '', 'attic.rs': '' })
  t.same(orderProblems(new Module(texts, 'volume'), ORDER), ['attic: stands nowhere in the order'])
})

t.test('what is tested is not what the rooms use', async t => {
  t.same(
    problems('#[cfg(test)] mod tests { use super::super::high::LIMIT; } #[cfg(test)] fn up() { super::high::free(); }'),
    [],
  )
})

t.test('a call of a method that several types have is undecided where the receiver is not known', async t => {
  const low = 'pub struct Low; impl Low { pub fn rise(&self) {} } fn up() { unknown().rise(); }'
  const module = new Module(crate(STRUCT, { 'low.rs': low, 'high.rs': HIGH }), 'volume')
  t.same(orderProblems(module, ORDER), [])
  t.match(module.ambiguous, [{ name: 'rise', from: 'volume/low.rs', line: 1 }])
})

t.test('children name the struct of their mod.rs and are named there; a constant is a tie', async t => {
  const child = (use: string) =>
    crate('pub struct Volume { low: low::Low }\npub const SIZE: u64 = 1;', { 'low.rs': `${use} pub struct Low;` })
  t.same(orderProblems(new Module(child('use super::Volume;'), 'volume'), ORDER), [])
  t.same(orderProblems(new Module(child('use super::SIZE;'), 'volume'), ORDER), [
    'low imports SIZE of mod: mod is not below low',
  ])
})

t.test('circles by imports, by calls, of rooms and of files', async t => {
  const texts = crate('pub struct Volume { a: u64 }', {
    'low/mod.rs': 'mod one; mod two;',
    'low/one.rs': 'impl crate::volume::Volume { pub fn one(&self) { self.two() } }',
    'low/two.rs': 'impl crate::volume::Volume { pub fn two(&self) { self.one(); self.far() } }',
    'high.rs': 'impl super::Volume { pub fn far(&self) { self.one() } }',
  })
  const module = new Module(texts, 'volume')
  t.same(
    module.circles(file => module.room(file)),
    { imports: [], calls: [['high', 'low']], both: [['high', 'low']] },
  )
  t.same(module.circles(file => module.file(file)).calls, [['high', 'low/one', 'low/two']])
  t.match(module.struct(), { name: 'Volume', fields: 1, methods: 3, implBlocks: 3, implBlocksElsewhere: 0 })
})

t.test('files that import each other are found in Rust, through what a mod.rs gives on too', async t => {
  const files = { 'one.rs': 'use super::Two; pub struct One;', 'two.rs': 'use super::one::One; pub struct Two;' }
  t.same(rustCircles(crate('pub use two::Two;', files)), [['volume/one', 'volume/two']])
  t.same(rustCircles(crate('pub use two::Two;', { ...files, 'two.rs': 'pub struct Two;' })), [])
})

t.test('files that import each other are found in TypeScript, types alone too', async t => {
  const texts = (two: string) =>
    new Map([
      ['src/one.ts', "import { two } from './two.ts'"],
      ['src/two.ts', two],
    ])
  t.same(typeScriptCircles(texts("import type { One } from './one.ts'")), [['src/one', 'src/two']])
  t.same(typeScriptCircles(texts("// import type { One } from './one.ts'")), [])
})

t.test('a trip counts files, rooms and moves, each function once', async t => {
  const texts = crate('pub struct Volume { a: u64 }', {
    'low/mod.rs': 'mod one; mod two;',
    'low/one.rs': 'impl crate::volume::Volume { pub fn one(&self) { self.two(); self.two() } }',
    'low/two.rs': 'impl crate::volume::Volume { pub fn two(&self) {} }',
    'high.rs': 'impl super::Volume { pub fn far(&self) { self.one(); self.two() } }',
  })
  const module = new Module(texts, 'volume')
  t.match(module.trip(entryOf(module.crate, 'Volume::far'), []), { fileCount: 3, ownRooms: 2, moves: 4 })
})
