//! 100 threads at once.

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::thread;

use parking_lot::RwLock;

use super::*;

const CREATORS: u64 = 100;
const PAGES: u64 = 64;

struct Shared {
    store: Arc<RamStore>,
    cortex: Cortex<Arc<RamStore>>,
    /// Keys that are in the table from now on.
    lasting: RwLock<Vec<Key>>,
    numbers: AtomicU64,
    done: AtomicBool,
    /// Files each creator makes; two thirds stay.
    files: u64,
    /// Refused inserts.
    refused: AtomicU64,
}

fn create(shared: &Shared, seed: u64) -> Vec<(Key, u64)> {
    let mut random = Rng::new(seed);
    let mut mine = Vec::new();
    for file in 0..shared.files {
        let number = shared.numbers.fetch_add(1, Ordering::Relaxed);
        let hint = match random.below(3) {
            0 => random.next_u64() as u32,
            _ => shared.cortex.choose_hint(random.below(4) as u32, random.below(300)),
        };
        let key = Key { number, hint };
        if let Err(error) = shared.cortex.insert(&slot_bytes(number, hint, 0), ()) {
            assert_eq!(error.code, Code::CortexFull);
            assert!(shared.cortex.find(number, hint).unwrap().is_none(), "refused, yet there");
            shared.refused.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        if file % 3 == 0 {
            assert!(shared.cortex.find(number, hint).unwrap().is_some());
            shared.cortex.remove(number, hint, ()).expect("nobody else removes it");
            assert!(shared.cortex.find(number, hint).unwrap().is_none(), "removed, yet there");
        } else {
            shared.lasting.write().push(key);
            mine.push((key, 0));
        }
        // Changing a slot must survive that others kick it about.
        if !mine.is_empty() {
            let index = random.below(mine.len() as u64) as usize;
            let (key, content) = &mut mine[index];
            *content += 1;
            shared
                .cortex
                .update(key.number, key.hint, &slot_bytes(key.number, key.hint, *content), ())
                .unwrap();
        }
    }
    mine
}

fn look(shared: &Shared, seed: u64) -> u64 {
    let mut random = Rng::new(seed);
    let mut looked = 0;
    while !shared.done.load(Ordering::Relaxed) {
        let lasting = shared.lasting.read();
        let Some(key) = lasting.get(random.below(lasting.len().max(1) as u64) as usize).copied() else {
            continue;
        };
        drop(lasting);
        let found = shared.cortex.find(key.number, key.hint).unwrap();
        let (_, bytes) = found.unwrap_or_else(|| panic!("missed {key:?}"));
        assert_eq!(Key::of(&bytes), key);
        looked += 1;
    }
    looked
}

/// Returns the number of refused inserts.
fn run(seed: u64, fill: u64, files: u64) -> u64 {
    let (store, cortex) = if seed % 3 == 0 { open_pessimistic(PAGES, seed) } else { open(PAGES, seed) };
    store.yield_often();
    let shared = Shared {
        store,
        cortex,
        lasting: RwLock::default(),
        numbers: AtomicU64::new(16),
        done: AtomicBool::new(false),
        files,
        refused: AtomicU64::new(0),
    };
    let mut expected: Vec<(Key, u64)> = Vec::new();
    for number in 1 << 30..(1 << 30) + fill {
        let key = Key { number, hint: (number as u32).wrapping_mul(31) };
        shared.cortex.insert(&slot_bytes(number, key.hint, 0), ()).unwrap();
        shared.lasting.write().push(key);
        expected.push((key, 0));
    }
    let looked = thread::scope(|scope| {
        let shared = &shared;
        let lookers: Vec<_> = (0..4).map(|n| scope.spawn(move || look(shared, seed + n))).collect();
        let creators: Vec<_> =
            (0..CREATORS).map(|n| scope.spawn(move || create(shared, seed * 1000 + n))).collect();
        for creator in creators {
            match creator.join() {
                Ok(mine) => expected.extend(mine),
                Err(panic) => {
                    // The lookers must end before the scope can.
                    shared.done.store(true, Ordering::Relaxed);
                    std::panic::resume_unwind(panic);
                }
            }
        }
        shared.done.store(true, Ordering::Relaxed);
        lookers.into_iter().map(|looker| looker.join().unwrap()).sum::<u64>()
    });
    assert!(looked > 0);
    assert_eq!(check_table(&shared.store, &shared.cortex).len(), expected.len());
    assert_eq!(shared.cortex.used(), expected.len() as u64);
    for (key, content) in &expected {
        let (_, bytes) = shared.cortex.find(key.number, key.hint).unwrap().expect("lost");
        assert_eq!(bytes, slot_bytes(key.number, key.hint, *content));
    }
    for (key, _) in &expected {
        shared.cortex.remove(key.number, key.hint, ()).unwrap();
    }
    assert_eq!(shared.cortex.used(), 0);
    assert!(shared.store.image().is_empty());
    shared.refused.into_inner()
}

/// 1,200 lasting anchors of 1,428 slots: 84 % at the end, kicks from the middle on.
#[test]
fn a_hundred_threads_create_while_others_look_and_remove() {
    for_seeds(6, |seed| assert_eq!(run(seed, 0, 18), 0));
}

/// From 90 % over the brim: the stash fills and is drained while threads look, inserts fail.
#[test]
fn lookups_never_miss_when_the_table_is_full() {
    for_seeds(6, |seed| {
        let capacity = (PAGES + 4) * 21;
        let refused = run(seed, capacity * 9 / 10, 6);
        assert!(refused > 0);
    });
}
