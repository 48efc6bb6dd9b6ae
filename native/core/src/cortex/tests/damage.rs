//! Unreadable pages and damaged slots: errors, never a wrong "not found", never a lost anchor.

use std::collections::HashMap;

use super::*;

#[test]
fn damaged_slots_are_occupied_never_match_and_never_move() {
    for_seeds(40, |seed| {
        let mut random = Rng::new(seed);
        let (store, cortex) = open(32, seed);
        let mut damaged = HashMap::new();
        for page in 0..32 {
            for slot in 0..random.below(8) as usize {
                let mut bytes = slot_bytes(100_000 + page * 21 + slot as u64, page as u32 / 16, 0);
                bytes[64 + random.below(60) as usize] ^= 1 << random.below(8);
                store.page(Region::Cortex, page).unwrap().put(slot, &bytes, ());
                damaged.insert((Region::Cortex, page, slot), bytes);
            }
        }
        for number in 100_000..100_000 + 32 * 21 {
            let hint = (number - 100_000) as u32 / 21 / 16;
            assert_eq!(cortex.find(number, hint).unwrap(), None);
        }
        let mut entered = 0;
        for number in 16.. {
            let hint = cortex.choose_hint(random.next_u64() as u32, 0);
            match cortex.insert(&slot_bytes(number, hint, 0), ()) {
                Ok(_) => entered += 1,
                Err(error) => {
                    assert_eq!(error.code, Code::CortexFull);
                    break;
                }
            }
        }
        assert!(entered + damaged.len() + 3 >= cortex.capacity() as usize);
        let image = store.image();
        for (at, bytes) in &damaged {
            assert_eq!(&image[at], bytes, "{at:?} moved or was overwritten");
        }
        assert_eq!(check_table(&store, &cortex).len(), entered);
    });
}

#[test]
fn an_anchor_on_a_foreign_page_is_invisible_and_stays() {
    let (store, cortex) = open(32, 2);
    let key = Key { number: 500, hint: 0 };
    let homes = cortex.placement.homes(key);
    let foreign = (0..32).find(|page| !homes.contains(*page)).unwrap();
    let bytes = slot_bytes(500, 0, 0);
    store.page(Region::Cortex, foreign).unwrap().put(0, &bytes, ());
    assert_eq!(cortex.find(500, 0).unwrap(), None);
    assert_eq!(cortex.remove(500, 0, ()).unwrap_err().code, Code::NotFound);
    let mut number = 1000;
    while cortex.insert(&slot_bytes(number, number as u32, 0), ()).is_ok() {
        number += 1;
    }
    assert_eq!(store.image()[&(Region::Cortex, foreign, 0)], bytes);
    let mut misplaced = 0;
    let count = |_, occupant, _: &SlotBytes| {
        misplaced += usize::from(occupant == Occupant::Misplaced);
        Ok(())
    };
    cortex.for_each(count).unwrap();
    assert_eq!(misplaced, 1);
}

#[test]
fn unreadable_pages_give_errors_and_lose_nothing() {
    for_seeds(60, |seed| {
        let mut random = Rng::new(seed);
        let (store, cortex) = open(32, seed);
        let mut keys = Vec::new();
        for number in 16..16 + random.below(cortex.capacity()) {
            let hint = random.next_u64() as u32;
            if cortex.insert(&slot_bytes(number, hint, number), ()).is_ok() {
                keys.push(Key { number, hint });
            }
        }
        let bad: Vec<u64> = (0..1 + random.below(6)).map(|_| random.below(32)).collect();
        bad.iter().for_each(|page| store.set_failing(Region::Cortex, *page, true));
        for key in &keys {
            match cortex.find(key.number, key.hint) {
                Ok(found) => {
                    assert_eq!(found.expect("missed").1, slot_bytes(key.number, key.hint, key.number))
                }
                Err(error) => assert_eq!(error.code, Code::Io),
            }
            let absent = cortex.find(key.number + (1 << 40), key.hint);
            let homes = cortex.placement.homes(Key { number: key.number + (1 << 40), hint: key.hint });
            assert_eq!(absent.is_err(), bad.iter().any(|page| homes.contains(*page)));
        }
        for number in 5000..5200 {
            let before = store.image();
            let hint = random.next_u64() as u32;
            match cortex.insert(&slot_bytes(number, hint, number), ()) {
                Ok(_) => keys.push(Key { number, hint }),
                Err(_) => assert!(store.image() == before, "a failed insert changed a slot"),
            }
            cortex.choose_hint(hint, 0);
        }
        bad.iter().for_each(|page| store.set_failing(Region::Cortex, *page, false));
        assert_eq!(check_table(&store, &cortex).len(), keys.len());
        for key in &keys {
            let (_, bytes) = cortex.find(key.number, key.hint).unwrap().expect("lost");
            assert_eq!(bytes, slot_bytes(key.number, key.hint, key.number));
        }
        assert_eq!(cortex.used(), keys.len() as u64);
    });
}

#[test]
fn an_unreadable_stash_page_leaves_the_rest_usable() {
    let (store, cortex) = open(16, 6);
    let mut number = 16;
    while cortex.insert(&slot_bytes(number, 0, 0), ()).is_ok() {
        number += 1;
    }
    store.set_failing(Region::Stash, 1, true);
    let cold = reopen(&store, 16, 6, cortex.used());
    let mut unknown = 0;
    for number in 16..number {
        match cold.find(number, 0) {
            Ok(found) => assert!(found.is_some()),
            Err(error) => {
                assert_eq!(error.code, Code::Io);
                unknown += 1;
            }
        }
    }
    assert_eq!(unknown, 21);
    assert_eq!(cold.find(1 << 40, 0).unwrap_err().code, Code::Io);
}

#[test]
fn an_impossible_geometry_is_corrupt() {
    let store = RamStore::default();
    let geometry = Geometry { cortex_pages: 16, stash_pages: 4, hash_key: [0; 16], used: 0 };
    for (cortex_pages, stash_pages) in [(0, 4), (17, 4), (16, 65), (16, u64::MAX)] {
        let wrong = Geometry { cortex_pages, stash_pages, ..geometry };
        assert_eq!(Cortex::open(Arc::new(RamStore::default()), wrong).err().unwrap().code, Code::Corrupt);
    }
    // A counter that lies must not wrap.
    let cortex = Cortex::open(Arc::new(store), geometry).unwrap();
    cortex.insert(&slot_bytes(16, 0, 0), ()).unwrap();
    cortex.used.store(0, Ordering::Relaxed);
    cortex.remove(16, 0, ()).unwrap();
    assert_eq!(cortex.used(), 0);
}
