//! Random operations, compared with a map after each.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

struct Model {
    store: Arc<RamStore>,
    cortex: Cortex<Arc<RamStore>>,
    anchors: BTreeMap<u64, (u32, SlotBytes)>,
    random: Rng,
    next_number: u64,
    refused: u64,
}

impl Model {
    fn new(pages: u64, seed: u64) -> Model {
        let (store, cortex) = if seed % 3 == 0 { open_pessimistic(pages, seed) } else { open(pages, seed) };
        let random = Rng::new(seed);
        Model { store, cortex, anchors: BTreeMap::new(), random, next_number: 16, refused: 0 }
    }

    fn hint(&mut self) -> u32 {
        match self.random.below(4) {
            0 => self.random.next_u64() as u32,
            1 => 0,
            _ => {
                let directory = self.random.below(4) as u32;
                self.cortex.choose_hint(directory, self.random.below(1000))
            }
        }
    }

    fn any(&mut self) -> Option<(u64, u32)> {
        let start = 16 + self.random.below(self.next_number.max(17) - 16);
        let entry = self.anchors.range(start..).next().or_else(|| self.anchors.iter().next());
        entry.map(|(number, (hint, _))| (*number, *hint))
    }

    fn insert(&mut self) {
        let (number, hint) = (self.next_number, self.hint());
        self.next_number += 1;
        let bytes = slot_bytes(number, hint, self.random.next_u64());
        let before = (self.random.below(8) == 0).then(|| self.store.image());
        match self.cortex.insert(&bytes, ()) {
            Ok(at) => {
                let (found, _) = self.cortex.find(number, hint).unwrap().expect("just entered");
                assert_eq!(found, at);
                self.anchors.insert(number, (hint, bytes));
            }
            Err(error) => {
                assert_eq!(error.code, Code::CortexFull);
                self.refused += 1;
                assert_eq!(self.cortex.stash_used(), 84, "refused while the stash has room");
                assert_no_room(&self.cortex, &self.store, Key { number, hint });
            }
        }
        if let Some(before) = before
            && !self.anchors.contains_key(&number)
        {
            assert!(self.store.image() == before, "a failed insert changed a slot");
        }
    }

    fn update(&mut self) {
        let Some((number, hint)) = self.any() else { return };
        let bytes = slot_bytes(number, hint, self.random.next_u64());
        self.cortex.update(number, hint, &bytes, ()).unwrap();
        self.anchors.insert(number, (hint, bytes));
    }

    fn remove(&mut self) {
        let Some((number, hint)) = self.any() else { return };
        self.cortex.remove(number, hint, ()).unwrap();
        self.anchors.remove(&number);
    }

    fn look(&mut self) {
        if let Some((number, hint)) = self.any() {
            let (_, bytes) = self.cortex.find(number, hint).unwrap().expect("an anchor is missing");
            assert_eq!(bytes, self.anchors[&number].1);
            // The same number under another hint is another key.
            assert_eq!(self.cortex.find(number, hint ^ 1).unwrap(), None);
        }
        let absent = self.next_number + self.random.below(1000);
        let hint = self.hint();
        assert_eq!(self.cortex.find(absent, hint).unwrap(), None);
        assert_eq!(self.cortex.remove(absent, hint, ()).unwrap_err().code, Code::NotFound);
        let bytes = slot_bytes(absent, hint, 0);
        assert_eq!(self.cortex.update(absent, hint, &bytes, ()).unwrap_err().code, Code::NotFound);
    }

    fn check(&self) {
        let keys: BTreeSet<u64> =
            check_table(&self.store, &self.cortex).iter().map(|key| key.number).collect();
        assert!(keys.iter().eq(self.anchors.keys()));
        assert_eq!(self.cortex.used(), self.anchors.len() as u64);
        for (number, (hint, bytes)) in &self.anchors {
            let (_, found) = self.cortex.find(*number, *hint).unwrap().expect("an anchor is missing");
            assert_eq!(found, *bytes);
        }
    }
}

/// Every page that kicks can reach is full: the refusal was right. (The small tables here have
/// fewer pages than one search may read.)
fn assert_no_room(cortex: &Cortex<Arc<RamStore>>, store: &RamStore, key: Key) {
    let homes = cortex.placement.homes(key);
    let image = store.image();
    let mut queue = vec![homes.h1, homes.h2];
    let mut seen = BTreeSet::from([homes.h1, homes.h2]);
    while let Some(page) = queue.pop() {
        for slot in 0..21 {
            let bytes = image.get(&(Region::Cortex, page, slot)).expect("a reachable page has room");
            if let Some(other) = cortex.placement.homes(Key::of(bytes)).other(page)
                && seen.insert(other)
            {
                queue.push(other);
            }
        }
    }
}

#[test]
fn random_operations_agree_with_a_map() {
    for_seeds(300, |seed| {
        let pages = 16 * (1 + seed % 4);
        let mut model = Model::new(pages, seed);
        let capacity = model.cortex.capacity();
        for round in 0..6 {
            // Phases that fill to the brim, empty, and hover.
            let inserts = [90, 20, 50, 95, 50, 5][round];
            for _ in 0..capacity / 2 {
                match model.random.below(100) {
                    n if n < inserts => model.insert(),
                    n if n < inserts + 4 => model.update(),
                    n if n < inserts + 6 => model.look(),
                    _ => model.remove(),
                }
            }
            model.check();
            if model.random.below(3) == 0 {
                let used = model.cortex.used();
                model.cortex = reopen(&model.store, pages, seed, used);
                model.check();
            }
        }
        while let Some((number, hint)) = model.any() {
            model.cortex.remove(number, hint, ()).unwrap();
            model.anchors.remove(&number);
        }
        model.check();
        assert_eq!((model.cortex.used(), model.cortex.stash_used()), (0, 0));
        assert!(model.store.image().is_empty());
    });
}

#[test]
fn a_full_table_refuses_and_stays_as_it_was() {
    for_seeds(10, |seed| {
        let mut model = Model::new(32, seed);
        while model.refused < 20 {
            model.insert();
        }
        let (before, refused) = (model.store.image(), model.refused);
        let used = model.cortex.used();
        for _ in 0..50 {
            model.insert();
        }
        // A free slot that no kick reached before may be the home of a later number.
        let (entered, refused) = (model.cortex.used() - used, model.refused - refused);
        assert_eq!(entered + refused, 50);
        assert!(entered > 0 || model.store.image() == before, "a failed insert changed a slot");
        // 21-slot pages with two choices fill up to the last slots before anything is refused.
        assert!(model.cortex.used() + 3 >= model.cortex.capacity(), "{} used", model.cortex.used());
        model.check();
        let (number, hint) = model.any().unwrap();
        model.cortex.remove(number, hint, ()).unwrap();
        model.anchors.remove(&number);
        model.check();
    });
}

#[test]
fn bytes_without_a_checksum_or_of_another_file_are_refused() {
    let (store, cortex) = open(16, 1);
    let bytes = slot_bytes(20, 3, 1);
    cortex.insert(&bytes, ()).unwrap();
    let before = store.image();
    let mut unsummed = bytes;
    unsummed[50] ^= 1;
    assert_eq!(cortex.insert(&unsummed, ()).unwrap_err().code, Code::InvalidArgument);
    assert_eq!(cortex.update(20, 3, &unsummed, ()).unwrap_err().code, Code::InvalidArgument);
    assert_eq!(cortex.update(20, 4, &bytes, ()).unwrap_err().code, Code::InvalidArgument);
    assert!(store.image() == before, "a failed insert changed a slot");
}
