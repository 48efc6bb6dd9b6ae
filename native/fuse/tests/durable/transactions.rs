//! The transactions of a database under test, the same for the same seed in program and test.

use hn4_core::testing::Rng;
use std::collections::BTreeMap;

/// By key.
pub type Rows = BTreeMap<i64, Vec<u8>>;

pub enum Change {
    Insert(i64, Vec<u8>),
    Update(i64, Vec<u8>),
    Delete(i64),
}

/// Rows beyond which most changes are deletions.
const CROWDED: usize = 60;

/// The changes of transaction `n` (from 1) to the rows that the one before left.
pub fn transaction(seed: u64, n: u64, rows: &Rows) -> Vec<Change> {
    let mut rng = Rng::new(seed.wrapping_mul(1 << 32).wrapping_add(n));
    let mut rows = rows.clone();
    let count = if rng.chance(1, 8) { 40 } else { 1 + rng.below(8) };
    let mut changes = Vec::new();
    for _ in 0..count {
        let keys: Vec<i64> = rows.keys().copied().collect();
        let old = keys.get(rng.below(keys.len() as u64) as usize).copied();
        let change = match (old, rng.below(if keys.len() > CROWDED { 4 } else { 10 })) {
            (Some(key), 0..3) => Change::Delete(key),
            (Some(key), 3..6) => Change::Update(key, body(&mut rng)),
            _ => Change::Insert(rows.keys().last().unwrap_or(&0) + 1 + rng.below(5) as i64, body(&mut rng)),
        };
        apply(&change, &mut rows);
        changes.push(change);
    }
    changes
}

pub fn apply(change: &Change, rows: &mut Rows) {
    match change {
        Change::Insert(key, body) | Change::Update(key, body) => drop(rows.insert(*key, body.clone())),
        Change::Delete(key) => drop(rows.remove(key)),
    }
}

/// From a few bytes to several pages of overflow.
fn body(rng: &mut Rng) -> Vec<u8> {
    let most = [20, 300, 3000, 9000, 30_000][rng.below(5) as usize];
    let length = 1 + rng.below(most);
    rng.bytes(length)
}

/// The rows after each transaction, 0 to `count`.
pub fn history(seed: u64, count: u64) -> Vec<Rows> {
    let mut states = vec![Rows::new()];
    for n in 1..=count {
        let mut rows = states[n as usize - 1].clone();
        transaction(seed, n, &rows).iter().for_each(|change| apply(change, &mut rows));
        states.push(rows);
    }
    states
}
