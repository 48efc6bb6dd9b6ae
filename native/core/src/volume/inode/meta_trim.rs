//! Dropping META blocks of all files beyond the limit that [`super::meta_cache`] counts.

use super::Inodes;
use super::meta_cache::PARTS;
use crate::volume::Volume;
use std::sync::atomic::Ordering;

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
