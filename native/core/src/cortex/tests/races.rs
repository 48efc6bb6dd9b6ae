//! The moves that a lookup or a change could miss, each forced to happen in the middle of it.

use super::*;

const PAGES: u64 = 32;

/// Fills the free slots of a page with damaged slots, which nothing moves or removes.
fn block(store: &RamStore, page: u64) {
    let handle = store.page(Region::Cortex, page).unwrap();
    while let Some(slot) = handle.with(bucket::free_slot) {
        let mut bytes = slot_bytes(1 << 20, 0, slot as u64);
        bytes[70] ^= 1;
        handle.put(slot, &bytes, ());
    }
}

/// A key, not in the table, whose homes satisfy `wanted`.
fn key_with(cortex: &Cortex<Arc<RamStore>>, from: u64, wanted: impl Fn(Homes) -> bool) -> Key {
    let mut keys = (from..).map(|number| Key { number, hint: (number % 2) as u32 });
    keys.find(|key| wanted(cortex.placement.homes(*key))).unwrap()
}

/// `x` stands on its H2, the only movable anchor of that page; entering `y` moves `x` to its H1.
fn about_to_be_kicked(seed: u64) -> (Arc<RamStore>, Arc<Cortex<Arc<RamStore>>>, Key, Key) {
    let (store, cortex) = open(PAGES, seed);
    let x = Key { number: 1000, hint: 0 };
    let homes = cortex.placement.homes(x);
    let y = key_with(&cortex, 2000, |y| y.h2 == homes.h2 && y.h1 != homes.h1);
    store.page(Region::Cortex, homes.h2).unwrap().put(5, &slot_bytes(x.number, x.hint, 0), ());
    block(&store, homes.h2);
    block(&store, cortex.placement.homes(y).h1);
    (store, Arc::new(cortex), x, y)
}

/// `x` stands in the stash; `z` on its H1, and removing `z` brings `x` there.
fn about_to_leave_the_stash(seed: u64) -> (Arc<RamStore>, Arc<Cortex<Arc<RamStore>>>, Key, Key) {
    let (store, cortex) = open(PAGES, seed);
    let x = Key { number: 1000, hint: 0 };
    let homes = cortex.placement.homes(x);
    let z = key_with(&cortex, 2000, |z| z.h1 == homes.h1);
    cortex.insert(&slot_bytes(z.number, z.hint, 0), ()).unwrap();
    block(&store, cortex.placement.homes(z).h2);
    block(&store, homes.h1);
    block(&store, homes.h2);
    let at = cortex.insert(&slot_bytes(x.number, x.hint, 0), ()).unwrap();
    assert_eq!(at.region, Region::Stash);
    (store, Arc::new(cortex), x, z)
}

#[test]
fn a_lookup_does_not_miss_an_anchor_that_is_kicked_behind_its_back() {
    for seed in 0..50 {
        let (store, cortex, x, y) = about_to_be_kicked(seed);
        let homes = cortex.placement.homes(x);
        let other = Arc::clone(&cortex);
        // H1 was searched, H2 is about to be.
        store.interrupt_at(Region::Cortex, homes.h2, move || {
            other.insert(&slot_bytes(y.number, y.hint, 0), ()).unwrap();
        });
        let (at, _) = cortex.find(x.number, x.hint).unwrap().expect("missed");
        assert_eq!(at.page, homes.h1);
    }
}

#[test]
fn a_lookup_does_not_miss_an_anchor_that_leaves_the_stash() {
    for seed in 0..50 {
        let (store, cortex, x, z) = about_to_leave_the_stash(seed);
        let homes = cortex.placement.homes(x);
        let other = Arc::clone(&cortex);
        store.interrupt_at(Region::Cortex, homes.h2, move || other.remove(z.number, z.hint, ()).unwrap());
        let (at, _) = cortex.find(x.number, x.hint).unwrap().expect("missed");
        assert_eq!((at.region, at.page), (Region::Cortex, homes.h1));
        assert_eq!(cortex.stash_used(), 0);
    }
}

#[test]
fn a_path_that_changed_is_not_taken() {
    for seed in 0..50 {
        let (store, cortex, x, y) = about_to_be_kicked(seed);
        let homes = cortex.placement.homes(x);
        let other = Arc::clone(&cortex);
        // The search is at the far end of its path when the anchor it means to move is replaced.
        store.interrupt_at(Region::Cortex, homes.h1, move || {
            other.remove(x.number, x.hint, ()).unwrap();
            let z = key_with(&other, 3000, |z| z.h1 == homes.h2 && z.h2 != homes.h1);
            other.insert(&slot_bytes(z.number, z.hint, 0), ()).unwrap();
        });
        let before = store.image().len();
        cortex.insert(&slot_bytes(y.number, y.hint, 0), ()).unwrap();
        assert!(cortex.find(y.number, y.hint).unwrap().is_some());
        assert!(cortex.find(x.number, x.hint).unwrap().is_none());
        assert_eq!(store.image().len(), before + 1);
        cortex
            .for_each(|at, occupant, _| {
                assert_ne!(occupant, Occupant::Misplaced, "{at:?}");
                Ok(())
            })
            .unwrap();
    }
}

#[test]
fn the_locked_ways_move_and_change_anchors_too() {
    for seed in 0..50 {
        let (_, cortex, x, z) = about_to_leave_the_stash(seed);
        let mut cortex = Arc::into_inner(cortex).unwrap();
        cortex.optimistic_tries = 0;
        let changed = slot_bytes(x.number, x.hint, 9);
        assert_eq!(cortex.update(x.number, x.hint, &changed, ()).unwrap().region, Region::Stash);
        cortex.remove(z.number, z.hint, ()).unwrap();
        let (at, bytes) = cortex.find(x.number, x.hint).unwrap().unwrap();
        assert_eq!((at.region, bytes), (Region::Cortex, changed));
        cortex.remove(x.number, x.hint, ()).unwrap();
        assert!(cortex.find(x.number, x.hint).unwrap().is_none());

        let (_, cortex, x, y) = about_to_be_kicked(seed);
        let mut cortex = Arc::into_inner(cortex).unwrap();
        cortex.optimistic_tries = 0;
        cortex.insert(&slot_bytes(y.number, y.hint, 0), ()).unwrap();
        let homes = cortex.placement.homes(x);
        assert_eq!(cortex.find(x.number, x.hint).unwrap().unwrap().0.page, homes.h1);
    }
}
