//! The index of the overwrite area: which live blocks lie there (docs/format.md 4). In memory only;
//! built at mount from the area's own descriptors.

use super::table::{BlockKey, BlockTable};
use crate::base::{DataNumber, Ino, Result};
use parking_lot::RwLock;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Default)]
pub struct Overwrites {
    by_key: RwLock<HashMap<BlockKey, DataNumber>>,
    /// Looked at before the lock: most volumes have nothing there most of the time.
    count: AtomicUsize,
}

/// The keys of a run of blocks, with their places.
fn run_of(key: BlockKey, first: DataNumber, count: u64) -> impl Iterator<Item = (BlockKey, DataNumber)> {
    (0..count).map(move |i| (BlockKey { index: key.index + i, ..key }, DataNumber(first.0 + i)))
}

impl Overwrites {
    /// Reads the descriptors of the area, data blocks `first .. end`.
    pub fn build(table: &BlockTable, first: u64, end: u64) -> Result<Overwrites> {
        let index = Overwrites::default();
        for data in first..end {
            if let Some(descriptor) = table.live(data)? {
                let copy = descriptor.copy();
                let key = BlockKey { owner: descriptor.owner, index: descriptor.index, copy };
                index.insert_run(key, DataNumber(data), 1);
            }
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
        self.by_key.read().get(key).copied()
    }
    /// Enters the blocks that hold `key` and the indices behind it.
    pub fn insert_run(&self, key: BlockKey, first: DataNumber, count: u64) {
        let mut map = self.by_key.write();
        map.extend(run_of(key, first, count));
        self.count.store(map.len(), Ordering::Release);
    }
    /// Forgets the blocks that hold `key` and the indices behind it, except those that have another place
    /// by now.
    pub fn remove_run(&self, key: BlockKey, first: DataNumber, count: u64) {
        if self.is_empty() {
            return;
        }
        let mut map = self.by_key.write();
        for (key, data) in run_of(key, first, count) {
            if map.get(&key) == Some(&data) {
                map.remove(&key);
            }
        }
        self.count.store(map.len(), Ordering::Release);
    }
    /// Whether any block of the file lies in the area.
    pub fn has_any(&self, owner: Ino) -> bool {
        !self.is_empty() && self.by_key.read().keys().any(|key| key.owner == owner)
    }
    /// The files with blocks there, and which.
    pub fn owners(&self) -> BTreeMap<Ino, Vec<BlockKey>> {
        let mut owners: BTreeMap<Ino, Vec<BlockKey>> = BTreeMap::new();
        for key in self.by_key.read().keys() {
            owners.entry(key.owner).or_default().push(*key);
        }
        owners
    }
}
