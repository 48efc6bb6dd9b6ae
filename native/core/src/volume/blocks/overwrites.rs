//! The index of the overwrite area: which live blocks lie there (docs/format.md 4). In memory only;
//! built at mount from the area's own descriptors.

use super::table::{BlockKey, BlockTable};
use crate::base::{DataNumber, Error, Ino, Result};
use parking_lot::RwLock;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Default)]
pub struct Overwrites {
    index: RwLock<Index>,
    /// Looked at before the lock: most volumes have nothing there most of the time.
    count: AtomicUsize,
}

#[derive(Default)]
struct Index {
    by_key: HashMap<BlockKey, DataNumber>,
    /// How many of them each file has; files without any are not here.
    of_owner: HashMap<Ino, u64>,
}

impl Index {
    fn insert(&mut self, key: BlockKey, data: DataNumber) {
        if self.by_key.insert(key, data).is_none() {
            *self.of_owner.entry(key.owner).or_default() += 1;
        }
    }
    fn remove(&mut self, key: &BlockKey, data: DataNumber) {
        if self.by_key.get(key) != Some(&data) {
            return;
        }
        self.by_key.remove(key);
        if let Entry::Occupied(mut count) = self.of_owner.entry(key.owner) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

/// The keys of a run of blocks, with their places.
fn run_of(key: BlockKey, first: DataNumber, count: u64) -> impl Iterator<Item = (BlockKey, DataNumber)> {
    (0..count).map(move |i| (BlockKey { index: key.index + i, ..key }, DataNumber(first.0 + i)))
}

impl Overwrites {
    /// Reads the descriptors of the area, data blocks `first .. end`. `damaged` gets what cannot be read; if it
    /// returns Ok, the blocks of that page are left out.
    pub fn build(
        table: &BlockTable,
        first: u64,
        end: u64,
        damaged: &mut dyn FnMut(Error) -> Result<()>,
    ) -> Result<Overwrites> {
        let index = Overwrites::default();
        let mut data = first;
        while data < end {
            match table.live(data) {
                Ok(None) => {}
                Ok(Some(descriptor)) => {
                    let copy = descriptor.copy();
                    let key = BlockKey { owner: descriptor.owner, index: descriptor.index, copy };
                    index.insert_run(key, DataNumber(data), 1);
                }
                Err(error) => {
                    damaged(error)?;
                    data = table.next_page(data) - 1;
                }
            }
            data += 1;
        }
        Ok(index)
    }
    fn is_empty(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }
    pub fn find(&self, key: &BlockKey) -> Option<DataNumber> {
        if self.is_empty() {
            return None;
        }
        self.index.read().by_key.get(key).copied()
    }
    /// Enters the blocks that hold `key` and the indices behind it.
    pub fn insert_run(&self, key: BlockKey, first: DataNumber, count: u64) {
        let mut index = self.index.write();
        run_of(key, first, count).for_each(|(key, data)| index.insert(key, data));
        self.count.store(index.by_key.len(), Ordering::Release);
    }
    /// Forgets the blocks that hold `key` and the indices behind it, except those that have another place
    /// by now.
    pub fn remove_run(&self, key: BlockKey, first: DataNumber, count: u64) {
        if self.is_empty() {
            return;
        }
        let mut index = self.index.write();
        run_of(key, first, count).for_each(|(key, data)| index.remove(&key, data));
        self.count.store(index.by_key.len(), Ordering::Release);
    }
    /// Whether any block of the file lies in the area. Every truncation and deletion asks.
    pub fn has_any(&self, owner: Ino) -> bool {
        !self.is_empty() && self.index.read().of_owner.contains_key(&owner)
    }
    /// The files with blocks there, and which.
    pub fn owners(&self) -> BTreeMap<Ino, Vec<BlockKey>> {
        let mut owners: BTreeMap<Ino, Vec<BlockKey>> = BTreeMap::new();
        for key in self.index.read().by_key.keys() {
            owners.entry(key.owner).or_default().push(*key);
        }
        owners
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Rng, with_seeds};
    use std::collections::BTreeSet;

    #[test]
    fn whose_blocks_lie_there_agrees_with_a_set_of_keys() {
        with_seeds(16, |seed| {
            let (mut rng, index) = (Rng::new(seed), Overwrites::default());
            let mut model: BTreeMap<(u64, u64), u64> = BTreeMap::new();
            for _ in 0..600 {
                let (owner, at, count) = (rng.below(6), rng.below(30), 1 + rng.below(4));
                let first = rng.below(3) * 100 + at;
                let key = BlockKey { owner, index: at, copy: 0 };
                if rng.chance(1, 2) {
                    index.insert_run(key, DataNumber(first), count);
                    model.extend((0..count).map(|i| ((owner, at + i), first + i)));
                } else {
                    index.remove_run(key, DataNumber(first), count);
                    for i in 0..count {
                        if model.get(&(owner, at + i)) == Some(&(first + i)) {
                            model.remove(&(owner, at + i));
                        }
                    }
                }
                let owners: BTreeSet<u64> = model.keys().map(|(owner, _)| *owner).collect();
                for owner in 0..6 {
                    assert_eq!(index.has_any(owner), owners.contains(&owner), "seed {seed}");
                }
                assert_eq!(index.owners().into_keys().collect::<BTreeSet<_>>(), owners, "seed {seed}");
                assert_eq!(index.count.load(Ordering::Acquire), model.len());
            }
        });
    }

    /// A scan of the whole index for each of these questions would take 10^11 steps: the test would not end.
    #[test]
    fn a_question_for_one_file_does_not_look_at_the_blocks_of_all() {
        const FILES: u64 = 300_000;
        let index = Overwrites::default();
        for owner in 0..FILES {
            index.insert_run(BlockKey { owner, index: 0, copy: 0 }, DataNumber(owner), 1);
        }
        assert!((0..FILES).all(|owner| index.has_any(owner) && !index.has_any(FILES + owner)));
    }
}
