//! META blocks by index: in memory, changed, and what is reserved for them.

use super::read::READ_TOGETHER;
use crate::base::Result;
use crate::transaction::{Transaction, cost};
use crate::volume::Volume;
use crate::volume::inode::{InodeState, MetaBlock, View};

impl Volume {
    /// Changes or makes a META block; the transaction's end will need blocks and log for it.
    pub(in crate::volume) fn put_meta(
        &self,
        tx: &Transaction<'_>,
        file: View<'_>,
        index: u64,
        bytes: MetaBlock,
    ) {
        if file.meta.lock().put(index, bytes, &self.inodes.meta) {
            self.space.add_meta(self.copies);
            tx.charge(self.log_of_meta());
        }
    }

    /// Log bytes of a META block that is placed when the transaction closes, all copies together. Where metadata has
    /// one copy, the first change of a page since a checkpoint takes it to the log whole, and each block may have a
    /// descriptor page of its own.
    pub(in crate::volume) fn log_of_meta(&self) -> u64 {
        let base = if self.copies == 1 { cost::PAGE } else { 0 };
        (cost::meta(self.geometry.descriptors) + base) * self.copies
    }

    /// A META block: from memory, else from the disk, where either copy will do.
    pub fn meta_block(&self, file: View<'_>, index: u64) -> Result<MetaBlock> {
        let cache = &self.inodes.meta;
        if let Some(block) = file.meta.lock().get(index, cache) {
            return Ok(block);
        }
        let block = self.read_meta(file, index)?;
        let mut meta = file.meta.lock();
        meta.on_disk.insert(index);
        // A change counts on what it has brought to memory.
        if file.only_reads() && cache.is_overfull() && !meta.damaged.contains(&index) {
            return Ok(block);
        }
        Ok(meta.keep(index, block, cache))
    }

    /// As `meta_block`, of a directory. `all`: the others will be asked for, too.
    pub(super) fn directory_block(&self, dir: View<'_>, index: u64, all: bool) -> Result<MetaBlock> {
        let cache = &self.inodes.meta;
        let is_missing = {
            let meta = dir.meta.lock();
            let worth = if all { cache.holds(meta.length) } else { meta.length <= READ_TOGETHER };
            worth && !meta.is_loaded(index)
        };
        if is_missing && !cache.is_overfull() {
            self.read_meta_together(dir, index);
        }
        self.meta_block(dir, index)
    }

    /// Brings the reservation for META blocks to what is really new.
    pub(in crate::volume) fn release_meta(&self, state: &mut InodeState) {
        let needed = state.meta.lock().new_blocks * self.copies;
        if state.meta_reserved > needed {
            self.space.release(state.meta_reserved - needed);
            state.meta_reserved = needed;
        }
    }
}
