//! Changing a file's size.

use super::free::EDGES;
use super::guards;
use super::write::SIZE_MAX;
use crate::base::{BLOCK_SIZE, Code, Result, now_ns};
use crate::format::layout;
use crate::transaction::Transaction;
use crate::volume::Volume;
use crate::volume::inode::{Inode, Locked, xattrs_of};
use crate::volume::space::Purpose;
use crate::volume::writeback::clear_behind;
use std::sync::Arc;

const BLOCK: u64 = BLOCK_SIZE as u64;

impl Volume {
    /// Makes the file `size` bytes long; `permissions` may take set-id bits with it.
    pub fn truncate(&self, inode: &Arc<Inode>, size: u64, permissions: impl Fn(&mut u32)) -> Result<()> {
        if size > SIZE_MAX {
            return Err(Code::FileTooLarge.into());
        }
        self.change_content(inode, EDGES, |tx, file| {
            // An append-only file may not be cut, nor grown by truncation.
            guards::rewritable(file)?;
            if size < file.size {
                self.cut(tx, file, size)?;
            } else {
                let capability = self.plan_drop_capability(tx, file.view())?;
                if size > file.size {
                    self.grow(tx, file, size)?;
                }
                if let Some(change) = capability {
                    self.change_extension(tx, file, change);
                }
            }
            permissions(&mut file.slot.anchor.permissions);
            let now = now_ns();
            file.slot.anchor.mod_clock = now;
            file.slot.attributes.ctime = now;
            self.mark(tx, file);
            Ok(())
        })
    }

    /// Bytes behind the old end read as zeros.
    fn grow(&self, tx: &Transaction<'_>, file: &mut Locked<'_>, size: u64) -> Result<()> {
        if file.is_inline() && size <= layout::INLINE_MAX && file.dirty.is_empty() {
            // The buffer behind the content is zero already.
            file.slot.anchor.mass = size;
            file.size = size;
            return Ok(());
        }
        let tail = self.tail_to_clear(file.view(), size)?;
        let hole = size.div_ceil(BLOCK) > file.size_blocks();
        self.delay_inline(file)?;
        if hole {
            self.become_sparse(tx, file)?;
        }
        if let Some((index, block)) = tail {
            self.put_delayed(file, index, block, false);
        }
        file.size = size;
        self.advance_mass(file);
        Ok(())
    }

    /// Makes inline content a delayed block, so that it moves to one when it is placed.
    pub(super) fn delay_inline(&self, file: &mut Locked<'_>) -> Result<()> {
        if !file.is_inline() || file.in_memory(0).is_some() {
            return Ok(());
        }
        let block = self.read_block(file.view(), 0)?;
        self.space.reserve(1, Purpose::User)?;
        self.put_delayed(file, 0, block, true);
        Ok(())
    }

    fn cut(&self, tx: &Transaction<'_>, file: &mut Locked<'_>, size: u64) -> Result<()> {
        let keep = size.div_ceil(BLOCK);
        // All that can fail comes first.
        let rest = self.without_capability(file.view())?;
        let (release, whole) = self.plan_cut(tx, file.view(), keep, &xattrs_of(rest.as_deref()))?;
        let gone: Vec<u64> = file.dirty.range(keep..).map(|(index, _)| *index).collect();
        for index in gone {
            self.drop_delayed(file, index);
        }
        file.in_flight.split_off(&keep);
        if let Some(delayed) = file.dirty.get_mut(&(size / BLOCK)) {
            clear_behind(&mut delayed.block, size / BLOCK, size);
        }
        file.size = size;
        if size == 0 {
            file.sparse_when_placed = false;
        }
        self.release(tx, file, release);
        if file.is_inline() {
            let mass = file.slot.anchor.mass.min(size);
            file.slot.anchor.mass = mass;
            file.slot.anchor.inline_buffer[mass as usize..].fill(0);
            if mass == 0 {
                file.set(layout::DATA_CLASS_INLINE, false);
            }
            return Ok(());
        }
        file.slot.anchor.mass = file.slot.anchor.mass.min(size);
        // What was delayed before the new end may all be gone.
        self.advance_mass(file);
        if !whole {
            file.set(layout::DATA_CLASS_TRUNCATING, true);
            self.reconcile_orphan(tx, file.inode);
        }
        if size == 0 && file.is_sparse() && file.slot.attributes.blocks == 0 {
            self.stop_being_sparse(file);
        }
        Ok(())
    }
}
