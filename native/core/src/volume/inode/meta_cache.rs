//! How many META blocks all files together keep in memory, and which of them go.
//!
//! A block that is to be placed stays; the transaction bounds those. The others go once there are more than the
//! limit: first those that nobody asked for since the last time. A file that is locked is passed over, so that
//! what an operation has brought to memory stays while it runs.

use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// Parts of the limit that come to memory before it is looked through again.
pub(super) const PARTS: usize = 8;

pub struct MetaCache {
    /// Blocks.
    pub(super) limit: usize,
    /// Counts the times that unused blocks were dropped.
    pub(super) round: AtomicU32,
    /// Blocks of all files.
    in_memory: Arc<AtomicUsize>,
    /// So many are in memory when it is worth to look for unused ones again.
    pub(super) again_at: AtomicUsize,
    pub(super) trimming: Mutex<()>,
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
    pub(super) fn in_memory(&self) -> usize {
        self.in_memory.load(Ordering::Relaxed)
    }
    pub(super) fn part(&self) -> usize {
        self.limit.div_ceil(PARTS)
    }
    /// Whether a file's blocks have room beside those of others: what is read of them at once is still there when
    /// it is asked for.
    pub(in crate::volume) fn holds(&self, blocks: u64) -> bool {
        blocks <= self.limit as u64 / 2
    }
    pub(super) fn is_crowded(&self) -> bool {
        let blocks = self.in_memory();
        blocks > self.limit && blocks >= self.again_at.load(Ordering::Relaxed)
    }
    /// Whether so many are in memory that readers keep none: what changes files cannot do without.
    pub(in crate::volume) fn is_overfull(&self) -> bool {
        self.in_memory() > self.limit + 2 * self.part()
    }
}
