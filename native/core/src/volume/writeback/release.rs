//! Giving blocks back in a transaction: what a file owned, and what a new placement replaced.

use crate::allocator::{Holder, Run};
use crate::base::{DataNumber, Result};
use crate::transaction::Transaction;
use crate::volume::Volume;
use crate::volume::blocks::BlockKey;
use crate::volume::inode::{Inode, Locked};

impl Volume {
    /// Frees one run of blocks in the running transaction. `data` u64::MAX: lost to damage, nothing to free.
    pub(in crate::volume) fn release(
        &self,
        tx: &Transaction<'_>,
        file: &mut Locked<'_>,
        index: u64,
        copy: u8,
        data: DataNumber,
        count: u64,
    ) -> Result<()> {
        if data.0 == u64::MAX {
            // It counts as owned all the same: a file must not keep it for ever.
            let blocks = &mut file.slot.attributes.blocks;
            *blocks = blocks.saturating_sub(count);
            file.slot_dirty = true;
            return Ok(());
        }
        // The allocator first: a page of the map it does not know yet must still show them in use.
        self.alloc.lock().defer_free(tx.number(), Run::new(data, count))?;
        self.table.free_run(tx, data.0, count)?;
        if self.window.in_area(data) {
            for i in 0..count {
                self.area.remove(&BlockKey { owner: file.inode.ino, index: index + i, copy }, data.0 + i);
            }
        }
        self.space.freed(count);
        let blocks = &mut file.slot.attributes.blocks;
        *blocks = blocks.saturating_sub(count);
        file.slot_dirty = true;
        Ok(())
    }

    /// Frees blocks whose indices have new ones: the counts stay.
    pub(in crate::volume) fn release_replaced(
        &self,
        tx: &Transaction<'_>,
        inode: &Inode,
        index: u64,
        copy: u8,
        data: DataNumber,
        count: u64,
    ) -> Result<()> {
        self.alloc.lock().defer_free(tx.number(), Run::new(data, count))?;
        self.table.free_run(tx, data.0, count)?;
        if self.window.in_area(data) {
            for i in 0..count {
                self.area.remove(&BlockKey { owner: inode.ino, index: index + i, copy }, data.0 + i);
            }
        }
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
        file.equations.anchor = None;
        file.equations.gravity_1 = None;
        file.slot.set_kmax(0);
        if !file.equations.segments.is_empty() {
            file.equations.segments.clear(0);
            file.equations.segments.clear(1);
            self.store_segments(tx, file)?;
        }
        let mut alloc = self.alloc.lock();
        (0..2).try_for_each(|copy| alloc.drop_growth_window(Holder { owner: file.inode.ino, copy }))
    }
}
