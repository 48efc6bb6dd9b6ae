//! Giving blocks back in a transaction.

use crate::base::{DataNumber, Result};
use crate::transaction::Transaction;
use crate::volume::Volume;
use crate::volume::blocks::BlockKey;
use crate::volume::inode::Locked;

impl Volume {
    /// Frees one run of blocks, of which the first holds `key`; the file owns fewer from now on.
    pub(in crate::volume) fn free_blocks(
        &self,
        tx: &Transaction<'_>,
        file: &mut Locked<'_>,
        key: BlockKey,
        data: DataNumber,
        count: u64,
    ) -> Result<()> {
        self.blocks.free(tx, key, data, count)?;
        self.space.freed(count);
        owns_less(file, count);
        Ok(())
    }

    /// G, V, M are zero exactly when no block is owned.
    pub(in crate::volume) fn forget_equation_if_empty(
        &self,
        tx: &Transaction<'_>,
        file: &mut Locked<'_>,
    ) -> Result<()> {
        if file.slot.attributes.blocks > 0 || file.equations.anchor.is_none() {
            return Ok(());
        }
        // Counted too low: presence still shows blocks, or its own wait to be freed, and they are found by the
        // equation only.
        let waiting = !file.inode.is_directory() && !file.meta.lock().removed.is_empty();
        if waiting || file.is_sparse() && self.presence_state(file.view())?.1 != 0 {
            file.slot.attributes.blocks = 1;
            return Ok(());
        }
        file.equations.anchor = None;
        file.equations.gravity_1 = None;
        file.slot.set_kmax(0);
        if !file.equations.segments.is_empty() {
            file.equations.segments.clear(0);
            file.equations.segments.clear(1);
            self.store_segments(tx, file)?;
        }
        self.blocks.drop_growth_windows(file.inode.ino)
    }
}

/// The file owns fewer blocks from now on.
pub(in crate::volume) fn owns_less(file: &mut Locked<'_>, count: u64) {
    let blocks = &mut file.slot.attributes.blocks;
    *blocks = blocks.saturating_sub(count);
    file.slot_dirty = true;
}
