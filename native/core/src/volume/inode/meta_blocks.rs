//! Blocks of a file's own metadata in memory: directory blocks, presence nodes.

use crate::base::BLOCK_SIZE;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Bytes of a META block.
pub type MetaBlock = Arc<[u8; BLOCK_SIZE]>;

/// By logical index. A block leaves memory only with its inode.
#[derive(Default)]
pub struct MetaBlocks {
    pub loaded: HashMap<u64, MetaBlock>,
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
}

impl MetaBlocks {
    pub fn owns_space(&self, index: u64) -> bool {
        index < self.disk_length || self.on_disk.contains(&index)
    }
    /// A changed or new block. True: it was neither before, in this transaction.
    pub fn put(&mut self, index: u64, bytes: MetaBlock) -> bool {
        if !self.owns_space(index) && !self.loaded.contains_key(&index) {
            self.new_blocks += 1;
        }
        self.removed.remove(&index);
        self.loaded.insert(index, bytes);
        self.dirty.insert(index)
    }
    /// Forgets a block; the next commit frees what it owns on disk.
    pub fn remove(&mut self, index: u64) {
        self.dirty.remove(&index);
        self.damaged.remove(&index);
        let known = self.loaded.remove(&index).is_some();
        if self.owns_space(index) {
            self.removed.insert(index);
        } else if known {
            self.new_blocks -= 1;
        }
    }
}
