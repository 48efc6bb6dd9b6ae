//! How full it gets, and what lookups cost then.

use super::*;

/// Fills to `percent` with directories of 40 files each; the keys entered.
fn fill(store: &RamStore, cortex: &Cortex<Arc<RamStore>>, percent: u64) -> Vec<Key> {
    let target = (cortex.capacity() - 84) * percent / 100;
    let mut keys: Vec<Key> = Vec::new();
    let mut directory = 0;
    for number in 16..16 + target {
        if number % 40 == 0 {
            directory = cortex.choose_hint(directory, 0);
        }
        let hint = cortex.choose_hint(directory, number % 40);
        cortex.insert(&slot_bytes(number, hint, number), ()).expect("every insert succeeds");
        keys.push(Key { number, hint });
    }
    store.take_reads();
    keys
}

#[test]
fn at_95_and_98_percent_every_insert_succeeds_and_lookups_read_two_pages() {
    for percent in [95, 98] {
        for seed in seeds(3) {
            let (store, cortex) = open(1024, seed);
            let keys = fill(&store, &cortex, percent);
            assert_eq!(cortex.stash_used(), 0, "no stash at {percent} %, HN4_SEED={seed}");
            for key in &keys {
                assert!(cortex.find(key.number, key.hint).unwrap().is_some());
                assert!(store.take_reads() <= 2);
                assert!(cortex.find(key.number + (1 << 40), key.hint).unwrap().is_none());
                assert!(store.take_reads() <= 2);
            }
            check_table(&store, &cortex);
            assert_eq!(cortex.used(), keys.len() as u64);
        }
    }
}

#[test]
fn removing_everything_returns_the_counts_exactly() {
    let (store, cortex) = open(256, 5);
    let keys = fill(&store, &cortex, 99);
    for key in &keys {
        cortex.remove(key.number, key.hint, ()).unwrap();
    }
    assert_eq!(cortex.used(), 0);
    assert!(store.image().is_empty());
    assert_eq!(check_table(&store, &cortex), vec![]);
    for region in 0..256 / NEIGHBOURHOOD_PAGES {
        assert_eq!(cortex.occupancy.region(region).used, 0);
    }
}

#[test]
fn files_of_a_small_directory_share_its_region() {
    let (_, cortex) = open(1024, 9);
    let hints: Vec<u32> = (0..200).map(|entries| cortex.choose_hint(7, entries)).collect();
    assert!(hints.iter().all(|hint| *hint == 7));
    assert_eq!(cortex.choose_hint(7, 250), 8);
    assert_eq!(cortex.choose_hint(63, 500), 1, "regions wrap");
}

#[test]
fn a_hint_jumps_over_full_regions_and_then_to_the_cursor() {
    let (_, cortex) = open(1024, 3);
    let mut number = 16;
    let mut fill_region = |region: u32| {
        while cortex.choose_hint(region, 0) == region {
            cortex.insert(&slot_bytes(number, region, 0), ()).unwrap();
            number += 1;
        }
    };
    fill_region(10);
    assert_eq!(cortex.choose_hint(10, 0), 11);
    for region in 11..18 {
        fill_region(region);
    }
    let cursor = cortex.choose_hint(10, 0);
    assert!(!(10..18).contains(&cursor));
    // The cursor stays until its region is full.
    assert_eq!(cortex.choose_hint(10, 0), cursor);
    fill_region(cursor);
    assert_ne!(cortex.choose_hint(10, 0), cursor);
}

#[test]
fn choosing_a_hint_on_a_cold_volume_reads_a_bounded_number_of_pages() {
    let (store, cortex) = open(1024, 4);
    let keys = fill(&store, &cortex, 90);
    let cold = reopen(&store, 1024, 4, keys.len() as u64);
    store.take_reads();
    for directory in 0..200 {
        cold.choose_hint(directory * 3, 10);
        assert!(store.take_reads() <= 32);
    }
    check_table(&store, &cold);
    let (blank_store, blank) = open(1 << 40, 4);
    for directory in 0..1000 {
        blank.choose_hint(directory * 7919, 10);
    }
    assert_eq!(blank_store.take_reads(), 4, "the stash; empty regions cost nothing");
}

#[test]
fn anchors_leave_the_stash_when_their_page_has_room_again() {
    let (store, cortex) = open(16, 8);
    let mut keys = Vec::new();
    for number in 16.. {
        let key = Key { number, hint: 0 };
        if cortex.insert(&slot_bytes(number, 0, 1), ()).is_err() {
            break;
        }
        keys.push(key);
    }
    assert_eq!(cortex.stash_used(), 84);
    let mut removed = 0;
    for key in &keys {
        if cortex.find(key.number, key.hint).unwrap().unwrap().0.region == Region::Cortex {
            cortex.remove(key.number, key.hint, ()).unwrap();
            removed += 1;
        }
        if removed == 200 {
            break;
        }
    }
    assert_eq!(cortex.stash_used(), 0);
    assert_eq!(check_table(&store, &cortex).len() as u64, cortex.used());
    let cold = reopen(&store, 16, 8, cortex.used());
    assert_eq!(cold.stash_used(), 0);
}
