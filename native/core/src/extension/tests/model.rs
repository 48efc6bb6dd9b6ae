//! Many files change their payloads at random; every chain is read back from the units.

use super::super::*;
use super::store::{File, Rng, Store, with_seeds};
use crate::base::Code;
use crate::format::layout::{EXTENSION_SEGMENTS, EXTENSION_SYMLINK, EXTENSION_XATTR};
use std::collections::{BTreeMap, BTreeSet};

fn sorted_segments(payload: &[u8]) -> Vec<&[u8]> {
    let mut segments: Vec<&[u8]> = payload.chunks(16).collect();
    segments.sort();
    segments
}

fn same(kind: u32, a: &[u8], b: &[u8]) -> bool {
    if kind == EXTENSION_SEGMENTS { sorted_segments(a) == sorted_segments(b) } else { a == b }
}

fn edit_segments(rng: &mut Rng, payload: &mut Vec<u8>) {
    for _ in 0..1 + rng.below(3) {
        let count = payload.len() as u64 / 16;
        let at = rng.below(count + 1) as usize * 16;
        match rng.below(5) {
            0 => payload.truncate(at),
            1 if at < payload.len() => drop(payload.drain(at..at + 16)),
            2 if at < payload.len() => payload[at..at + 16].copy_from_slice(&rng.bytes(16)),
            3 => {
                let more = 1 + rng.below(600);
                payload.extend(rng.bytes(16 * more));
            }
            _ => payload.extend(rng.bytes(16)),
        }
    }
}

fn edit_attributes(rng: &mut Rng, payload: &mut Vec<u8>) {
    let name = format!("user.{}", rng.below(12)).into_bytes();
    *payload = if rng.chance(30, 100) {
        xattr::remove(payload, &name).unwrap_or_default()
    } else {
        let size = [20, 300, 9000][rng.below(3) as usize];
        let size = rng.below(size);
        xattr::set(payload, &name, &rng.bytes(size), 0).unwrap()
    };
}

fn run(seed: u64) {
    let mut rng = Rng::new(seed);
    let pages = 3 + rng.below(400);
    let mut store = Store::new(pages);
    let mut allocator = UnitAllocator::new(pages, 0);
    let mut chains: Vec<Chain> = (0..1 + rng.below(8)).map(|number| Chain::empty(16 + number)).collect();
    let mut payloads: BTreeMap<(usize, u32), Vec<u8>> = BTreeMap::new();
    for step in 0..150u32 {
        let file = rng.below(chains.len() as u64) as usize;
        let mut changes = Vec::new();
        for kind in [EXTENSION_SEGMENTS, EXTENSION_XATTR, EXTENSION_SYMLINK] {
            if rng.chance(60, 100) {
                continue;
            }
            let mut payload = payloads.get(&(file, kind)).cloned().unwrap_or_default();
            match kind {
                EXTENSION_SEGMENTS => edit_segments(&mut rng, &mut payload),
                EXTENSION_XATTR => edit_attributes(&mut rng, &mut payload),
                _ => {
                    let size = if rng.chance(50, 100) { 29 + rng.below(4066) } else { 0 };
                    payload = rng.bytes(size);
                }
            }
            changes.push((kind, payload));
        }
        let borrowed: Vec<Change> =
            changes.iter().map(|(kind, payload)| Change { kind: *kind, payload }).collect();
        let before = (allocator.used(), store.used_count());
        match chains[file].plan(&borrowed, step, &mut allocator, &mut store) {
            Err(error) => {
                assert_eq!(error.code, Code::ExtensionFull);
                assert_eq!((allocator.used(), store.used_count()), before);
                continue;
            }
            Ok(plan) if rng.chance(10, 100) => {
                plan.cancel(&mut allocator);
                assert_eq!(allocator.used(), before.0);
                continue;
            }
            Ok(plan) => {
                store.apply(&plan);
                chains[file] = plan.keep(&mut allocator);
            }
        }
        for (kind, payload) in changes {
            let stored = chains[file].payload(kind);
            assert!(same(kind, &stored, &payload), "type {kind}");
            payloads.insert((file, kind), stored);
        }
        for (number, chain) in chains.iter().enumerate() {
            let read = Chain::read(&mut store, chain.owner, chain.head(), pages).unwrap();
            assert_eq!(&read, chain);
            for kind in [EXTENSION_SEGMENTS, EXTENSION_XATTR, EXTENSION_SYMLINK] {
                let payload = payloads.get(&(number, kind)).cloned().unwrap_or_default();
                assert_eq!(read.payload(kind), payload);
                assert_eq!(read.has(kind), !payload.is_empty());
                let full = payload.len().div_ceil(3792);
                let records = read.records.iter().filter(|record| record.kind == kind).count();
                let cramped = allocator.used() * 3 > pages * 15;
                assert!(cramped || records <= 3 + 3 * full, "{records} records for {} bytes", payload.len());
            }
        }
        let in_chains: u64 = chains.iter().map(Chain::units).sum();
        assert_eq!((allocator.used(), store.used_count()), (in_chains, in_chains));
        if rng.chance(5, 100) {
            allocator = UnitAllocator::new(pages, in_chains);
        }
    }
    for chain in &chains {
        let gone: Vec<Change> = [EXTENSION_SEGMENTS, EXTENSION_XATTR, EXTENSION_SYMLINK]
            .map(|kind| Change { kind, payload: &[] })
            .into();
        let plan = chain.plan(&gone, 0, &mut allocator, &mut store).unwrap();
        store.apply(&plan);
        let chain = plan.keep(&mut allocator);
        assert_eq!((chain.head(), chain.records.len()), (0, 0));
    }
    assert_eq!((allocator.used(), store.used_count()), (0, 0));
}

#[test]
fn random_changes_read_back() {
    with_seeds(200, run);
}

#[test]
fn one_more_segment_changes_its_units_and_a_header() {
    let mut file = File::new(200);
    let mut payload = Vec::new();
    let mut rng = Rng::new(1);
    for count in 1..=3000usize {
        payload.extend(rng.bytes(16));
        let (units, freed) = file.change(EXTENSION_SEGMENTS, &payload).unwrap();
        if count == 1 {
            // A neighbour in the way.
            let unit = file.allocator.take(&mut file.store, 1, EXTENSION_SEGMENTS, None).unwrap();
            assert_eq!(unit, file.chain.head() + 1);
            file.store.used[unit as usize] = true;
        }
        // Header unit, and where the 16 bytes lie; a new record and the header that names it. The
        // second unit moves the first record to a page of its own.
        let at = 40 + 16 * ((count - 1) % 237);
        let expected =
            if at == 40 || count == 14 { 2 } else { BTreeSet::from([0, at / 256, (at + 15) / 256]).len() };
        assert!(units <= expected, "{units} units at {count}");
        assert_eq!(freed, u64::from(count == 14), "freed at {count}");
        assert_eq!(file.chain.payload(EXTENSION_SEGMENTS), payload);
    }
    assert_eq!(file.chain.records.len(), 3000usize.div_ceil(237), "records fill their pages");
    // One less, anywhere: the record that had it.
    for _ in 0..50 {
        let at = rng.below(payload.len() as u64 / 16) as usize * 16;
        payload.drain(at..at + 16);
        let (units, freed) = file.change(EXTENSION_SEGMENTS, &payload).unwrap();
        assert!(units <= 15 && freed <= 1);
        payload = file.chain.payload(EXTENSION_SEGMENTS);
    }
}

#[test]
fn two_segments_exchanged_far_apart_change_two_records() {
    let mut file = File::new(200);
    let mut payload = Rng::new(1).bytes(16 * 237 * 8);
    file.change(EXTENSION_SEGMENTS, &payload).unwrap();
    payload[16 * 5] ^= 1;
    payload[16 * 237 * 7 + 32] ^= 1;
    let before = file.chain.clone();
    let (units, freed) = file.change(EXTENSION_SEGMENTS, &payload).unwrap();
    assert!(units <= 30 && freed == 0);
    let changed = file.chain.records.iter().zip(&before.records).filter(|(a, b)| a != b).count();
    assert_eq!(changed, 2);
    // Only what is written gets the transaction's generation.
    let of_last = file.chain.records.iter().filter(|record| record.generation == file.generation).count();
    assert_eq!(of_last, 2);
    assert!(same(EXTENSION_SEGMENTS, &file.chain.payload(EXTENSION_SEGMENTS), &payload));
}

#[test]
fn nothing_changed_writes_nothing() {
    let mut file = File::new(20);
    let attributes = xattr::set(&[], b"user.a", &[7; 5000], 0).unwrap();
    file.change(EXTENSION_XATTR, &attributes).unwrap();
    assert_eq!(file.change(EXTENSION_XATTR, &attributes).unwrap(), (0, 0));
    // A value of the same size: its header unit and the unit of the byte.
    let changed = xattr::set(&attributes, b"user.a", &[&[7; 4999][..], &[8]].concat(), 0).unwrap();
    assert_eq!(file.change(EXTENSION_XATTR, &changed).unwrap(), (2, 0));
    // Another type comes first and leaves the others alone.
    assert_eq!(file.change(EXTENSION_SYMLINK, &[1; 100]).unwrap(), (1, 0));
    assert_eq!(file.chain.records[0].kind, EXTENSION_SYMLINK);
}

#[test]
fn illegal_changes_are_refused() {
    let mut file = File::new(20);
    let refuse = |file: &mut File, changes: &[Change]| {
        let outcome = file.chain.plan(changes, 1, &mut file.allocator, &mut file.store);
        assert_eq!(outcome.unwrap_err().code, Code::InvalidArgument);
    };
    refuse(&mut file, &[Change { kind: 0, payload: b"x" }]);
    refuse(&mut file, &[Change { kind: 8, payload: b"x" }]);
    refuse(&mut file, &[Change { kind: EXTENSION_SEGMENTS, payload: &[0; 17] }]);
    refuse(&mut file, &[Change { kind: EXTENSION_SYMLINK, payload: &[0; 4096] }]);
    refuse(&mut file, &[Change { kind: 7, payload: &[0; 40] }, Change { kind: 7, payload: &[0; 41] }]);
}
