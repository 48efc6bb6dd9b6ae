//! Blocks of a file's own metadata in memory: directory blocks, presence nodes.

use super::meta_cache::MetaCache;
use crate::base::BLOCK_SIZE;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of a META block.
pub type MetaBlock = Arc<[u8; BLOCK_SIZE]>;

struct Loaded {
    bytes: MetaBlock,
    /// Round of the cache in which it was last asked for.
    used: u32,
}

/// By logical index.
#[derive(Default)]
pub struct MetaBlocks {
    loaded: HashMap<u64, Loaded>,
    /// Where those of all files are counted, once there is one.
    counter: Option<Arc<AtomicUsize>>,
    /// Changed since they were last placed.
    pub dirty: BTreeSet<u64>,
    /// Gone, but still owning blocks on disk until the next commit frees them.
    pub removed: BTreeSet<u64>,
    /// Known to own blocks on disk.
    pub on_disk: BTreeSet<u64>,
    /// Directories: every block below this index owns blocks on disk.
    pub disk_length: u64,
    /// Directories: blocks now.
    pub length: u64,
    /// Loaded from one copy because the other is bad: to be placed anew.
    pub damaged: BTreeSet<u64>,
    /// Blocks that exist now but are not on disk: their space is reserved.
    pub new_blocks: u64,
    /// The last transaction that placed any of them. Until it is durable, memory alone is sure to have them.
    pub placed_in: u64,
}

impl MetaBlocks {
    pub fn owns_space(&self, index: u64) -> bool {
        index < self.disk_length || self.on_disk.contains(&index)
    }
    pub fn is_loaded(&self, index: u64) -> bool {
        self.loaded.contains_key(&index)
    }
    /// Directories: the indices around `index` that are on the disk and not in memory, at most those of its aligned
    /// group of `group`.
    pub fn missing_around(&self, index: u64, group: u64) -> Range<u64> {
        let start = index / group * group;
        let end = (start + group).min(self.length).min(self.disk_length);
        let is_loaded = |index: &u64| self.loaded.contains_key(index);
        let first = (start..index).rev().find(is_loaded).map_or(start, |loaded| loaded + 1);
        first..(index..end).find(is_loaded).unwrap_or(end.max(index))
    }
    pub fn get(&mut self, index: u64, cache: &MetaCache) -> Option<MetaBlock> {
        let block = self.loaded.get_mut(&index)?;
        block.used = cache.round();
        Some(block.bytes.clone())
    }
    /// A changed block's bytes.
    pub fn changed(&self, index: u64) -> &[u8; BLOCK_SIZE] {
        &self.loaded[&index].bytes
    }
    /// Keeps a block as it came from the disk, unless memory has it by now; gives the one in memory.
    pub fn keep(&mut self, index: u64, bytes: MetaBlock, cache: &MetaCache) -> MetaBlock {
        let block = self.loaded.entry(index).or_insert_with(|| {
            count(&mut self.counter, cache);
            Loaded { bytes, used: cache.round() }
        });
        block.bytes.clone()
    }
    /// A changed or new block. True: it was neither before, in this transaction.
    pub fn put(&mut self, index: u64, bytes: MetaBlock, cache: &MetaCache) -> bool {
        if self.loaded.insert(index, Loaded { bytes, used: cache.round() }).is_none() {
            count(&mut self.counter, cache);
            self.new_blocks += u64::from(!self.owns_space(index));
        }
        self.removed.remove(&index);
        self.dirty.insert(index)
    }
    /// Forgets a block; the next commit frees what it owns on disk.
    pub fn remove(&mut self, index: u64) {
        self.dirty.remove(&index);
        self.damaged.remove(&index);
        let known = self.loaded.remove(&index).is_some();
        self.uncount(usize::from(known));
        if self.owns_space(index) {
            self.removed.insert(index);
        } else if known {
            self.new_blocks -= 1;
        }
    }
    /// Drops up to `most` blocks that the disk has too, transactions up to `durable` being there, and that nobody
    /// asked for since `round`; gives how many.
    pub fn drop_unused(&mut self, round: u32, most: usize, durable: u64) -> usize {
        if self.placed_in > durable {
            return 0;
        }
        let before = self.loaded.len();
        let MetaBlocks { loaded, dirty, damaged, .. } = self;
        let mut left = most;
        loaded.retain(|index, block| {
            let goes = left > 0 && block.used < round && !dirty.contains(index) && !damaged.contains(index);
            left -= usize::from(goes);
            !goes
        });
        if loaded.capacity() > 8 * loaded.len() + 64 {
            loaded.shrink_to(2 * loaded.len());
        }
        let gone = before - loaded.len();
        self.uncount(gone);
        gone
    }
    pub fn in_memory(&self) -> usize {
        self.loaded.len()
    }
    fn uncount(&self, blocks: usize) {
        if let Some(counter) = &self.counter {
            counter.fetch_sub(blocks, Ordering::Relaxed);
        }
    }
}

fn count(counter: &mut Option<Arc<AtomicUsize>>, cache: &MetaCache) {
    counter.get_or_insert_with(|| cache.counter().clone()).fetch_add(1, Ordering::Relaxed);
}

impl Drop for MetaBlocks {
    fn drop(&mut self) {
        self.uncount(self.loaded.len());
    }
}
