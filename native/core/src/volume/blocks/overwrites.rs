//! The index of the overwrite area: which live blocks lie there (docs/format.md 4). In memory only;
//! built at mount from the area's own descriptors.

use super::table::{BlockKey, BlockTable};
use crate::base::Result;
use parking_lot::RwLock;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Default)]
pub struct Overwrites {
    by_key: RwLock<HashMap<BlockKey, u64>>,
    /// Looked at before the lock: most volumes have nothing there most of the time.
    count: AtomicUsize,
}

impl Overwrites {
    /// Reads the descriptors of the area.
    pub fn build(table: &BlockTable, first: u64, end: u64) -> Result<Overwrites> {
        let index = Overwrites::default();
        for data in first..end {
            if let Some(descriptor) = table.live(data)? {
                let copy = descriptor.copy();
                index.insert(BlockKey { owner: descriptor.owner, index: descriptor.index, copy }, data);
            }
        }
        Ok(index)
    }
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    pub fn find(&self, key: &BlockKey) -> Option<u64> {
        if self.is_empty() {
            return None;
        }
        self.by_key.read().get(key).copied()
    }
    pub fn insert(&self, key: BlockKey, data: u64) {
        let mut map = self.by_key.write();
        map.insert(key, data);
        self.count.store(map.len(), Ordering::Release);
    }
    /// Forgets a block if it is the one at `data`.
    pub fn remove(&self, key: &BlockKey, data: u64) {
        if self.is_empty() {
            return;
        }
        let mut map = self.by_key.write();
        if map.get(key) == Some(&data) {
            map.remove(key);
        }
        self.count.store(map.len(), Ordering::Release);
    }
    /// Whether any block of the file lies in the area.
    pub fn has_any(&self, owner: u64) -> bool {
        !self.is_empty() && self.by_key.read().keys().any(|key| key.owner == owner)
    }
    /// The files with blocks there, and how many.
    pub fn owners(&self) -> BTreeMap<u64, Vec<(u64, u8)>> {
        let mut owners: BTreeMap<u64, Vec<(u64, u8)>> = BTreeMap::new();
        for key in self.by_key.read().keys() {
            owners.entry(key.owner).or_default().push((key.index, key.copy));
        }
        owners
    }
}
