//! How many META blocks all files together keep in memory, and which of them go.
//!
//! A block that is to be placed stays; the transaction bounds those. The others go once there are more than the
//! limit: first those that nobody asked for since the last time. A file that is locked is passed over, so that
//! what an operation has brought to memory stays while it runs.

use super::Inodes;
use crate::volume::Volume;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// Parts of the limit that come to memory before it is looked through again.
const PARTS: usize = 8;

pub struct MetaCache {
    /// Blocks.
    limit: usize,
    /// Counts the times that unused blocks were dropped.
    round: AtomicU32,
    /// Blocks of all files.
    in_memory: Arc<AtomicUsize>,
    /// So many are in memory when it is worth to look for unused ones again.
    again_at: AtomicUsize,
    trimming: Mutex<()>,
}

impl MetaCache {
    /// Keeps about `limit` blocks that the disk has too.
    pub fn new(limit: usize) -> MetaCache {
        MetaCache {
            limit,
            round: AtomicU32::new(1),
            in_memory: Arc::default(),
            again_at: AtomicUsize::new(0),
            trimming: Mutex::default(),
        }
    }
    pub(super) fn round(&self) -> u32 {
        self.round.load(Ordering::Relaxed)
    }
    /// Blocks of all files: each file counts its own here.
    pub(super) fn counter(&self) -> &Arc<AtomicUsize> {
        &self.in_memory
    }
    fn in_memory(&self) -> usize {
        self.in_memory.load(Ordering::Relaxed)
    }
    fn part(&self) -> usize {
        self.limit.div_ceil(PARTS)
    }
    fn is_crowded(&self) -> bool {
        let blocks = self.in_memory();
        blocks > self.limit && blocks >= self.again_at.load(Ordering::Relaxed)
    }
    /// Whether so many are in memory that readers keep none: what changes files cannot do without.
    pub(in crate::volume) fn is_overfull(&self) -> bool {
        self.in_memory() > self.limit + 2 * self.part()
    }
}

impl Volume {
    /// Drops META blocks beyond the limit. Call without a lock: files that are locked keep theirs.
    pub(in crate::volume) fn trim_meta(&self) {
        if self.inodes.meta.is_crowded() {
            self.inodes.drop_unused_meta(self.commits.durable());
        }
    }
}

impl Inodes {
    /// Transactions up to `durable` are on the disk, and with them the blocks that they placed.
    pub(in crate::volume) fn trim_meta(&self, durable: u64) {
        if self.meta.in_memory() > self.meta.limit {
            self.drop_unused_meta(durable);
        }
    }

    fn drop_unused_meta(&self, durable: u64) {
        let Some(_alone) = self.meta.trimming.try_lock() else { return };
        let unused_since = self.meta.round.fetch_add(1, Ordering::Relaxed);
        let target = self.meta.limit - self.meta.part();
        let mut saw_all = self.drop_meta(unused_since, usize::MAX, durable);
        let too_many = self.meta.in_memory().saturating_sub(target);
        if too_many > 0 {
            saw_all &= self.drop_meta(u32::MAX, too_many, durable);
        }
        // What lies in a file that was locked is looked for sooner.
        let more = if saw_all { self.meta.part() } else { self.meta.part().div_ceil(PARTS) };
        self.meta.again_at.store(self.meta.in_memory() + more, Ordering::Relaxed);
    }

    /// Drops up to `most` of all files. False: some were locked.
    fn drop_meta(&self, round: u32, most: usize, durable: u64) -> bool {
        let (mut left, mut saw_all) = (most, true);
        self.each(|inode| match inode.state.try_write() {
            Some(mut state) => left -= state.meta.get_mut().drop_unused(round, left, durable),
            // In the middle of something.
            None => saw_all = false,
        });
        saw_all
    }
}

#[cfg(test)]
#[path = "meta_cache_tests.rs"]
mod tests;
