//! Changing a file's size.

use super::write::{SIZE_MAX, clear_behind, refuse_appending, refuse_protected, refuse_truncating};
use crate::base::{BLOCK_SIZE, Code, Result, now_ns};
use crate::format::layout;
use crate::volume::Volume;
use crate::volume::inode::{Inode, InodeState};
use crate::volume::space::Purpose;
use std::sync::Arc;

const BLOCK: u64 = BLOCK_SIZE as u64;

impl Volume {
    pub fn truncate(&self, inode: &Arc<Inode>, size: u64) -> Result<()> {
        if size > SIZE_MAX {
            return Err(Code::FileTooLarge.into());
        }
        self.finish_truncation(inode)?;
        let _inside = self.enter()?;
        let mut state = inode.state.write();
        let state = &mut *state;
        // An append-only file may not be cut, nor grown by truncation.
        refuse_appending(state)?;
        refuse_protected(state, 0)?;
        refuse_truncating(state)?;
        self.drop_capability(inode, state)?;
        if size > state.size {
            self.grow(inode, state, size)?;
        } else if size < state.size {
            self.cut(inode, state, size)?;
        }
        let now = now_ns();
        state.slot.anchor.mod_clock = now;
        state.slot.attributes.ctime = now;
        self.mark(inode, state);
        Ok(())
    }

    /// Bytes behind the old end read as zeros.
    pub(in crate::volume) fn grow(&self, inode: &Inode, state: &mut InodeState, size: u64) -> Result<()> {
        if state.is_inline() && size <= layout::INLINE_MAX && state.dirty.is_empty() {
            // The buffer behind the content is zero already.
            state.slot.anchor.mass = size;
            state.size = size;
            return Ok(());
        }
        let tail = self.tail_to_clear(inode, state, size)?;
        let hole = size.div_ceil(BLOCK) > state.size_blocks();
        self.delay_inline(inode, state)?;
        if hole {
            self.become_sparse(inode, state)?;
        }
        if let Some((index, block)) = tail {
            self.put_delayed(state, index, block, false);
        }
        state.size = size;
        self.advance_mass(state);
        Ok(())
    }

    /// Makes inline content a delayed block, so that it moves to one when it is placed.
    pub(in crate::volume) fn delay_inline(&self, inode: &Inode, state: &mut InodeState) -> Result<()> {
        if !state.is_inline() || state.in_memory(0).is_some() {
            return Ok(());
        }
        let block = self.read_block(inode, state, 0)?;
        self.space.reserve(1, Purpose::User)?;
        self.put_delayed(state, 0, block, true);
        Ok(())
    }

    fn cut(&self, inode: &Arc<Inode>, state: &mut InodeState, size: u64) -> Result<()> {
        let keep = size.div_ceil(BLOCK);
        let gone: Vec<u64> = state.dirty.range(keep..).map(|(index, _)| *index).collect();
        for index in gone {
            self.drop_delayed(state, index);
        }
        state.in_flight.split_off(&keep);
        if let Some(delayed) = state.dirty.get_mut(&(size / BLOCK)) {
            clear_behind(&mut delayed.block, size / BLOCK, size);
        }
        state.size = size;
        if size == 0 {
            state.sparse_when_placed = false;
        }
        if state.is_inline() {
            let mass = state.slot.anchor.mass.min(size);
            state.slot.anchor.mass = mass;
            state.slot.anchor.inline_buffer[mass as usize..].fill(0);
            if mass == 0 {
                state.set(layout::DATA_CLASS_INLINE, false);
            }
            return Ok(());
        }
        state.slot.anchor.mass = state.slot.anchor.mass.min(size);
        // What was delayed before the new end may all be gone.
        self.advance_mass(state);
        if !self.free_from(inode, state, keep)? {
            state.set(layout::DATA_CLASS_TRUNCATING, true);
            self.reconcile_orphan(inode);
        }
        if size == 0 && state.is_sparse() && state.slot.attributes.blocks == 0 {
            self.stop_being_sparse(state);
        }
        Ok(())
    }

    /// The placed size follows the size once nothing below it is still delayed: a commit never
    /// shows bytes that were not placed.
    pub(in crate::volume) fn advance_mass(&self, state: &mut InodeState) {
        if state.is_inline() {
            return;
        }
        let mass = state.slot.anchor.mass;
        let waiting = state.dirty.range(mass / BLOCK..).next().map(|(index, _)| *index);
        state.slot.anchor.mass = waiting.map_or(state.size, |index| state.size.min(mass.max(index * BLOCK)));
    }
}
