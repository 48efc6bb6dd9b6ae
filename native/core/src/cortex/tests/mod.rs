//! The cortex against a map, against threads, against damage.

mod concurrency;
mod damage;
mod load;
mod model;
mod races;

use super::ram::RamStore;
use super::*;
use crate::base::Code;
use crate::format::layout::NEIGHBOURHOOD_PAGES;
use crate::format::slot::{EMPTY, set_checksum};
use crate::testing::Rng;
use std::sync::Arc;

/// A checksummed slot; `content` makes versions of it differ.
pub fn slot_bytes(number: u64, hint: u32, content: u64) -> SlotBytes {
    let mut bytes = EMPTY;
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    bytes[8..12].copy_from_slice(&hint.to_le_bytes());
    bytes[40..48].copy_from_slice(&content.to_le_bytes());
    set_checksum(&mut bytes);
    bytes
}

pub fn open(pages: u64, seed: u64) -> (Arc<RamStore>, Cortex<Arc<RamStore>>) {
    let store = Arc::new(RamStore::default());
    let cortex = reopen(&store, pages, seed, 0);
    (store, cortex)
}

/// Another life on the same pages: nothing learned, the stash read again.
pub fn reopen(store: &Arc<RamStore>, pages: u64, seed: u64, used: u64) -> Cortex<Arc<RamStore>> {
    let mut hash_key = [0x5a; 16];
    hash_key[..8].copy_from_slice(&seed.to_le_bytes());
    let geometry = Geometry { cortex_pages: pages, stash_pages: 4, hash_key, used };
    Cortex::open(Arc::clone(store), geometry).unwrap()
}

/// As [`open`]; every operation takes its locks first instead of after some failed tries.
pub fn open_pessimistic(pages: u64, seed: u64) -> (Arc<RamStore>, Cortex<Arc<RamStore>>) {
    let (store, mut cortex) = open(pages, seed);
    cortex.optimistic_tries = 0;
    (store, cortex)
}

/// Seeds of a property test: `HN4_SEED=n` repeats one, `HN4_SEEDS=n` runs more than usual.
pub fn seeds(usual: u64) -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match number("HN4_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("HN4_SEEDS").unwrap_or(usual),
    }
}

/// Runs a property test once per seed and names the seed of a failure.
pub fn for_seeds(usual: u64, test: impl Fn(u64) + std::panic::RefUnwindSafe) {
    for seed in seeds(usual) {
        if let Err(panic) = std::panic::catch_unwind(|| test(seed)) {
            eprintln!("failed with HN4_SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
}

/// Every rule of the table at a quiet moment; returns the keys found.
pub fn check_table(store: &RamStore, cortex: &Cortex<Arc<RamStore>>) -> Vec<Key> {
    let mut keys = Vec::new();
    let mut per_page = std::collections::HashMap::new();
    cortex
        .for_each(|at, occupant, bytes| {
            assert_ne!(occupant, Occupant::Misplaced, "{at:?}");
            if occupant == Occupant::Anchor {
                keys.push(Key::of(bytes));
            }
            *per_page.entry((at.region, at.page)).or_insert(0) += 1;
            Ok(())
        })
        .unwrap();
    let mut unique = keys.clone();
    unique.sort_by_key(|key| (key.number, key.hint));
    unique.dedup();
    assert_eq!(unique.len(), keys.len(), "an anchor stands twice");
    assert_eq!(store.image().len(), per_page.values().sum::<usize>());
    for page in 0..cortex.placement.pages() {
        if let Some(known) = cortex.occupancy.page(page) {
            let found = per_page.get(&(Region::Cortex, page)).copied().unwrap_or(0);
            assert_eq!(known, found, "count of page {page}");
        }
    }
    keys
}
