//! The index of the overwrite area: which live claims lie there (docs/format.md 4). In memory only;
//! built at mount from the area's own descriptors.

use super::table::{BlockTable, Claim, copy_of};
use crate::base::Result;
use parking_lot::RwLock;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Default)]
pub struct AreaIndex {
    by_claim: RwLock<HashMap<Claim, u64>>,
    /// Looked at before the lock: most volumes have nothing there most of the time.
    count: AtomicUsize,
}

impl AreaIndex {
    /// Reads the descriptors of the area.
    pub fn build(table: &BlockTable, first: u64, end: u64) -> Result<AreaIndex> {
        let index = AreaIndex::default();
        for data in first..end {
            if let Some(descriptor) = table.live(data)? {
                let copy = copy_of(&descriptor);
                index.insert(Claim { owner: descriptor.owner, index: descriptor.index, copy }, data);
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
    pub fn find(&self, claim: &Claim) -> Option<u64> {
        if self.is_empty() {
            return None;
        }
        self.by_claim.read().get(claim).copied()
    }
    pub fn insert(&self, claim: Claim, data: u64) {
        let mut map = self.by_claim.write();
        map.insert(claim, data);
        self.count.store(map.len(), Ordering::Release);
    }
    /// Forgets a claim if it is the one at `data`.
    pub fn remove(&self, claim: &Claim, data: u64) {
        if self.is_empty() {
            return;
        }
        let mut map = self.by_claim.write();
        if map.get(claim) == Some(&data) {
            map.remove(claim);
        }
        self.count.store(map.len(), Ordering::Release);
    }
    /// Whether any block of the file lies in the area.
    pub fn has_any(&self, owner: u64) -> bool {
        !self.is_empty() && self.by_claim.read().keys().any(|claim| claim.owner == owner)
    }
    /// The files with blocks there, and how many.
    pub fn owners(&self) -> BTreeMap<u64, Vec<(u64, u8)>> {
        let mut owners: BTreeMap<u64, Vec<(u64, u8)>> = BTreeMap::new();
        for claim in self.by_claim.read().keys() {
            owners.entry(claim.owner).or_default().push((claim.index, claim.copy));
        }
        owners
    }
}
