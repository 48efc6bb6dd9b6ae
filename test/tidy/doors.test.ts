/** The rule of doors on a folder with one fault each. */
import t from 'tap'
import { doorProblems, listedDoors, Module } from '../support/calls.ts'

const VOLUME = 'mod space;\nmod user;\npub struct Volume { space: space::counts::Space }'
const COUNTS = `
  pub struct Space { free: u64 }
  impl Space { pub fn free(&self) -> u64 { self.free } fn inner(&self) {} }
  pub(super) fn own() {}
`
const USER = 'impl super::Volume { pub fn look(&self) -> u64 { self.space.free() } }'

function problems(
  head: string,
  { counts = COUNTS, user = USER, modules = 'pub mod counts;', outside = '' } = {},
): string[] {
  const texts = new Map([
    ['lib.rs', 'mod volume;'],
    ['volume/mod.rs', VOLUME],
    ['volume/space/mod.rs', `${head}\n${modules}`],
    ['volume/space/counts.rs', counts],
    ['volume/user.rs', user],
  ])
  return doorProblems(new Module(texts, 'volume'), 'space', outside)
}

t.test('the names behind Doors: in the head', async t => {
  t.same(
    listedDoors(
      '//! Space.\n//!\n//! Doors: Space, `Space::{free, reserve}`,\n//! own, Credit::*.\n//!\n//! More, text\nmod x;',
    ),
    ['Space', 'Space::free', 'Space::reserve', 'own', 'Credit::*'],
  )
  t.same(listedDoors('//! Doors:\n//!\n//! more'), [])
  t.equal(listedDoors('//! Space, and no doors.'), undefined)
})

t.test('listed doors that are used are fine, each named or all of a type', async t => {
  t.same(problems('//! Doors: Space, Space::free'), [])
  t.same(problems('//! Doors: Space::*'), [])
})

t.test('an item or a method that others can see must be listed', async t => {
  t.same(problems('//! Doors: Space'), ['space: Space::free is no door, used by volume/user'])
  const method = `${COUNTS} impl crate::volume::Volume { pub(in crate::volume) fn reserve(&self) {} }`
  t.same(problems('//! Doors: Space::*', { counts: method }), [
    'space: Volume::reserve can be seen from outside and is no door, and nobody there uses it',
  ])
})

t.test('what mod.rs gives on with pub use is a door; its methods are listed all the same', async t => {
  const head = { modules: 'mod counts; pub use counts::Space;' }
  t.same(problems('', head), ['space: lists no doors'])
  t.same(problems('//! Doors: Space::free', head), [])
  t.ok(problems('//! Doors:', head).includes('space: Space::free is no door, used by volume/user'))
})

t.test('a use from outside of what no list names fails', async t => {
  const user = `${USER} fn take() { super::space::counts::LIMIT; }`
  const counts = `${COUNTS} pub(in crate::volume) const LIMIT: u64 = 1;`
  const found = problems('//! Doors: Space::*', { counts, user })
  t.ok(found.includes('space: LIMIT is no door, used by volume/user'), found.join('\n'))
})

t.test('a method of the struct that all share stands with its bare name', async t => {
  const counts = `${COUNTS} impl crate::volume::Volume { pub(in crate::volume) fn reserve(&self) {} }`
  const user = 'impl super::Volume { pub fn look(&self) -> u64 { self.reserve(); self.space.free() } }'
  t.same(problems('//! Doors: Space::*, reserve', { counts, user }), [])
})

t.test('a door that is not there, or that nobody uses, fails', async t => {
  t.same(problems('//! Doors: Space::*, vault'), ['space: there is no vault to be a door'])
  const counts = `${COUNTS} pub fn spare() {}`
  const unused = ['space: nobody outside uses the door spare']
  t.same(problems('//! Doors: Space::*, spare', { counts }), unused)
  t.same(problems('//! Doors: Space::*, spare', { counts, outside: 'hn4_core::volume::spare();' }), [])
})

t.test('a type that a door gives is in use', async t => {
  const counts = `${COUNTS} pub struct Credit; impl crate::volume::Volume { pub(in crate::volume) fn credit(&self) -> Option<Credit> { None } }`
  const user = 'impl super::Volume { pub fn look(&self) { self.credit(); self.space.free(); } }'
  t.same(problems('//! Doors: Space::*, credit, Credit', { counts, user }), [])
})
