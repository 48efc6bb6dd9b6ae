//! The allocator of units.

use super::super::*;
use super::store::{File, Rng, Store};
use crate::base::Code;
use crate::format::layout::{EXTENSION_SEGMENTS, EXTENSION_XATTR};

#[test]
fn units_are_in_one_page_free_and_never_unit_0() {
    let mut store = Store::new(5000);
    let mut allocator = UnitAllocator::new(5000, 0);
    let mut rng = Rng::new(3);
    let mut taken: Vec<(u64, u64)> = Vec::new();
    for _ in 0..60_000 {
        if rng.chance(35, 100) && !taken.is_empty() {
            let (first, count) = taken.swap_remove(rng.below(taken.len() as u64) as usize);
            store.used[first as usize..(first + count) as usize].fill(false);
            allocator.release(first, count);
            continue;
        }
        let count = 1 + rng.below(15);
        let near = rng.chance(50, 100).then(|| rng.below(75_000));
        let outcome = if rng.chance(30, 100) {
            allocator.take_in_empty_page(&mut store, count, EXTENSION_SEGMENTS)
        } else {
            allocator.take(&mut store, count, EXTENSION_SEGMENTS, near)
        };
        let Ok(first) = outcome else { continue };
        assert!(first > 0 && first % 15 + count <= 15);
        for unit in first..first + count {
            assert!(!std::mem::replace(&mut store.used[unit as usize], true), "unit {unit} taken twice");
        }
        taken.push((first, count));
        assert_eq!(allocator.used(), store.used_count());
    }
}

#[test]
fn a_full_region_says_so_and_serves_again_after_a_release() {
    let mut store = Store::new(10);
    let mut allocator = UnitAllocator::new(10, 0);
    for _ in 0..149 {
        allocator.take(&mut store, 1, EXTENSION_SEGMENTS, None).unwrap();
    }
    let full = |outcome: crate::base::Result<u64>| assert_eq!(outcome.unwrap_err().code, Code::ExtensionFull);
    full(allocator.take(&mut store, 1, EXTENSION_SEGMENTS, None));
    full(allocator.take_in_empty_page(&mut store, 1, EXTENSION_SEGMENTS));
    allocator.release(47, 3);
    full(allocator.take(&mut store, 4, EXTENSION_SEGMENTS, None));
    assert_eq!(allocator.take(&mut store, 3, EXTENSION_SEGMENTS, None).unwrap(), 47);
}

#[test]
fn half_of_the_region_is_kept_for_segments() {
    let mut file = File::new(10);
    let attribute = |size: usize| xattr::set(&[], b"user.a", &vec![1; size], 0).unwrap();
    file.change(EXTENSION_XATTR, &attribute(10_000)).unwrap();
    assert!(file.allocator.used() <= 75);
    let before = file.store.clone();
    let error = file.change(EXTENSION_XATTR, &attribute(20_000)).unwrap_err();
    assert_eq!(error.code, Code::ExtensionFull);
    assert_eq!(file.allocator.used(), before.used_count());
    assert_eq!(file.store.units, before.units);
    file.change(EXTENSION_SEGMENTS, &Rng::new(1).bytes(16 * 1200)).unwrap();
    assert!(file.allocator.used() > 100);
    // What needs no further unit is still served.
    file.change(EXTENSION_XATTR, &attribute(9_900)).unwrap();
    file.change(EXTENSION_XATTR, &[]).unwrap();
}

#[test]
fn a_unit_map_that_cannot_be_read_changes_nothing() {
    let mut file = File::new(10);
    file.store.map_fails = true;
    let error = file.change(EXTENSION_SEGMENTS, &[1; 16]).unwrap_err();
    assert_eq!((error.code, file.allocator.used()), (Code::Io, 0));
    file.store.map_fails = false;
    file.change(EXTENSION_SEGMENTS, &[1; 16]).unwrap();
}

#[test]
fn a_fragmented_region_serves_long_payloads_in_short_records() {
    let mut file = File::new(40);
    for page in 0..40 {
        file.store.used[page * 15 + 7] = true;
    }
    file.allocator = UnitAllocator::new(40, 40);
    let payload = Rng::new(1).bytes(16 * 1000);
    let plan = file
        .chain
        .plan(
            &[Change { kind: EXTENSION_SEGMENTS, payload: &payload }],
            1,
            &mut file.allocator,
            &mut file.store,
        )
        .unwrap();
    file.store.apply(&plan);
    let chain = plan.keep(&mut file.allocator);
    assert_eq!(Chain::read(&mut file.store, 17, chain.head(), 40).unwrap(), chain);
    assert_eq!(chain.payload(EXTENSION_SEGMENTS), payload);
}
