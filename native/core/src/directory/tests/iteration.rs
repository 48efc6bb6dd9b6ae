//! A name that stands throughout an iteration is given exactly once.

use super::support::{Rng, Subject, name_of, with_seeds};
use crate::format::layout::COOKIE_FIRST;
use std::collections::{BTreeMap, BTreeSet};

fn run(seed: u64) {
    let mut rng = Rng::new(seed);
    let mut subject = Subject::new();
    let pool = 20 + rng.below(800);
    for id in 0..pool {
        if rng.chance(60, 100) {
            subject.insert(&name_of(id, 60), id + 1).unwrap();
        }
    }
    // Names touched while the iteration runs may be given or not; the others must be.
    let mut touched: BTreeSet<Vec<u8>> = BTreeSet::new();
    let mut given: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
    let at_start: BTreeSet<Vec<u8>> = subject.model.keys().cloned().collect();
    let mut cookie = rng.below(3);
    loop {
        let batch = 1 + rng.below(20);
        let mut taken = 0;
        let mut refused = false;
        let start = cookie;
        let take = &mut |named: &super::super::NamedEntry| {
            if taken == batch {
                refused = true;
                return false;
            }
            taken += 1;
            assert!(named.entry.cookie > cookie && named.entry.cookie >= COOKIE_FIRST);
            assert!(named.entry.cookie < 1 << 63);
            cookie = named.entry.cookie;
            *given.entry(named.name.to_vec()).or_default() += 1;
            true
        };
        subject.table.iterate(&mut subject.blocks, start, take).unwrap();
        if !refused {
            break;
        }
        // Bursts in one direction make splits and merges between two calls.
        let inserting = rng.chance(50, 100);
        for _ in 0..rng.below(60) {
            let name = name_of(rng.below(pool), 60);
            if inserting && !subject.model.contains_key(&name) {
                subject.insert(&name, 5).unwrap();
                touched.insert(name);
            } else if !inserting && subject.remove(&name).is_some() {
                touched.insert(name);
            }
        }
    }
    for name in at_start.difference(&touched) {
        assert_eq!(given.get(name), Some(&1), "name {name:?}");
    }
    for (name, times) in &given {
        assert!(*times == 1 || touched.contains(name), "name {name:?} given {times} times");
        assert!(at_start.contains(name) || touched.contains(name));
    }
    subject.verify();
}

#[test]
fn iterations_survive_inserts_and_removals() {
    with_seeds(300, run);
}

#[test]
fn cookies_stay_while_the_name_stands() {
    let mut subject = Subject::new();
    subject.insert(b"kept", 1).unwrap();
    let cookie = subject.model[&b"kept"[..]].cookie;
    for id in 0..3000 {
        subject.insert(&name_of(id, 40), id + 2).unwrap();
    }
    assert!(subject.table.state().depth > 3);
    subject.replace(b"kept", 7);
    for id in 0..3000 {
        subject.remove(&name_of(id, 40));
    }
    assert_eq!(subject.table.length(), 1);
    assert_eq!(subject.table.lookup(&mut subject.blocks, b"kept").unwrap().unwrap().cookie, cookie);
    assert_eq!(subject.listed().len(), 1);
}

#[test]
fn an_iteration_from_the_end_or_beyond_gives_nothing() {
    let mut subject = Subject::new();
    for id in 0..100 {
        subject.insert(&name_of(id, 40), 1).unwrap();
    }
    let last = subject.listed().last().unwrap().1.cookie;
    for cookie in [last, last + 1, (1 << 62) + 63, 1 << 63, u64::MAX] {
        subject.table.iterate(&mut subject.blocks, cookie, &mut |_| panic!("given")).unwrap();
    }
    let mut count = 0;
    let take = &mut |_: &super::super::NamedEntry| {
        count += 1;
        true
    };
    subject.table.iterate(&mut subject.blocks, last - 1, take).unwrap();
    assert_eq!(count, 1);
}
