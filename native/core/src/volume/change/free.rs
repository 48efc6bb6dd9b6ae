//! Giving blocks back: truncation, punching, deletion. Frees from the end, in bounded slices.

use crate::allocator::{Holder, Run};
use crate::base::{DataNumber, Result};
use crate::format::layout;
use crate::volume::Volume;
use crate::volume::blocks::BlockKey;
use crate::volume::blocks::Extent;
use crate::volume::inode::{Inode, InodeState};
use std::sync::Arc;

/// Blocks that one slice frees by the equation alone: a few runs of map bits.
const SLICE_BY_EQUATION: u64 = 1 << 20;
/// Log bytes of a block freed alone, with the change of a segment.
const COST_OF_FREE: u64 = 64;
/// Blocks that one slice frees by looking each of them up.
const SLICE_BY_LOOKUP: u64 = 1 << 15;

impl Volume {
    /// Blocks that may all lie apart: each is an item of the record.
    fn slice_by_lookup(&self) -> u64 {
        SLICE_BY_LOOKUP.min(self.log_limit / COST_OF_FREE)
    }

    /// Frees the file's data blocks from `from` on. False: more than one slice holds; call again
    /// after the next commit (the blocks that are left lie below those freed).
    pub(in crate::volume) fn free_from(
        &self,
        inode: &Inode,
        state: &mut InodeState,
        from: u64,
    ) -> Result<bool> {
        if state.is_sparse() {
            return self.free_sparse(inode, state, from, layout::FILE_BLOCKS_MAX);
        }
        // A dense file owns exactly the blocks 0 to blocks - 1.
        let end = state.slot.attributes.blocks;
        if from >= end {
            return Ok(true);
        }
        let plain =
            state.slot.kmax() == 0 && state.equations.segments.is_empty() && !self.area.has_any(inode.ino);
        let slice = if plain { SLICE_BY_EQUATION } else { self.slice_by_lookup() };
        let start = from.max(end.saturating_sub(slice));
        let mut runs = Vec::new();
        let mut index = start;
        while index < end {
            let claim = BlockKey { owner: inode.ino, index, copy: 0 };
            // By the equation no descriptor is read: every block is at home.
            let equation =
                if plain { state.equations.run(&self.window, index, 0, 0, end - index) } else { None };
            let found = match equation {
                Some(run) => Some(run),
                None => self.locate_run(inode, state, claim, end - index, &mut Vec::new())?.and_then(owned),
            };
            // A block that damage took away cannot be freed; the others can.
            let (data, count) = found.unwrap_or((DataNumber(u64::MAX), 1));
            runs.push((index, data, count));
            index += count;
        }
        for (index, data, count) in runs {
            self.release(inode, state, index, 0, data, count)?;
        }
        self.after_free(inode, state, start, end)?;
        Ok(start == from)
    }

    /// Frees what a sparse file owns of `from .. end`, from the end, at most a slice.
    pub(in crate::volume) fn free_sparse(
        &self,
        inode: &Inode,
        state: &mut InodeState,
        from: u64,
        end: u64,
    ) -> Result<bool> {
        let mut runs = Vec::new();
        let mut budget = self.slice_by_lookup();
        let mut index = from;
        // Forward through what exists; a slice of it goes, the rest comes with the next call.
        let whole = loop {
            let Some((start, count)) = self.next_present(inode, state, index, end)? else { break true };
            if budget == 0 {
                break false;
            }
            let count = count.min(budget);
            let claim = BlockKey { owner: inode.ino, index: start, copy: 0 };
            let found = self.locate_run(inode, state, claim, count, &mut Vec::new())?.and_then(owned);
            let (data, count) = found.unwrap_or((DataNumber(u64::MAX), 1));
            runs.push((start, data, count));
            budget -= count;
            index = start + count;
        };
        for (index, data, count) in runs {
            self.clear_present(inode, state, index, count)?;
            self.release(inode, state, index, 0, data, count)?;
        }
        self.after_free(inode, state, from, if whole { end } else { index })?;
        Ok(whole)
    }

    /// Frees one run of blocks in the running transaction. `data` u64::MAX: lost to damage, nothing to free.
    pub(in crate::volume) fn release(
        &self,
        inode: &Inode,
        state: &mut InodeState,
        index: u64,
        copy: u8,
        data: DataNumber,
        count: u64,
    ) -> Result<()> {
        if data.0 == u64::MAX {
            // It counts as owned all the same: a file must not keep it for ever.
            let blocks = &mut state.slot.attributes.blocks;
            *blocks = blocks.saturating_sub(count);
            state.slot_dirty = true;
            return Ok(());
        }
        // The allocator first: a page of the map it does not know yet must still show them in use.
        self.alloc.lock().defer_free(self.pages.running(), Run::new(data, count))?;
        self.table.free_run(data.0, count)?;
        if self.window.in_area(data) {
            for i in 0..count {
                self.area.remove(&BlockKey { owner: inode.ino, index: index + i, copy }, data.0 + i);
            }
        }
        self.space.freed(count);
        let blocks = &mut state.slot.attributes.blocks;
        *blocks = blocks.saturating_sub(count);
        state.slot_dirty = true;
        Ok(())
    }

    /// After blocks of copy 0 went: segments that cover nothing go too, and a file that owns nothing
    /// forgets its equation.
    fn after_free(&self, inode: &Inode, state: &mut InodeState, from: u64, end: u64) -> Result<()> {
        if !state.equations.segments.is_empty() {
            state.equations.segments.remove_range(from, end, 0);
            self.store_segments(inode, state)?;
        }
        if state.new_delayed == 0 {
            // Nodes that were promised, or made and not yet placed, may be gone again.
            self.release_nodes(state);
        }
        self.forget_equation_if_empty(inode, state)
    }

    /// G, V, M are zero exactly when no block is owned.
    pub(in crate::volume) fn forget_equation_if_empty(
        &self,
        inode: &Inode,
        state: &mut InodeState,
    ) -> Result<()> {
        if state.slot.attributes.blocks > 0 || state.equations.anchor.is_none() {
            return Ok(());
        }
        state.equations.anchor = None;
        state.equations.gravity_1 = None;
        state.slot.set_kmax(0);
        if !state.equations.segments.is_empty() {
            state.equations.segments.clear(0);
            state.equations.segments.clear(1);
            self.store_segments(inode, state)?;
        }
        let mut alloc = self.alloc.lock();
        (0..2).try_for_each(|copy| alloc.drop_growth_window(Holder { owner: inode.ino, copy }))
    }

    /// Frees a slice of a file whose size was cut but whose blocks are not all free, until they are.
    /// Not inside a transaction.
    pub fn finish_truncation(&self, inode: &Arc<Inode>) -> Result<()> {
        loop {
            if !inode.state.read().has(layout::DATA_CLASS_TRUNCATING) {
                return Ok(());
            }
            self.throttle()?;
            let _inside = self.enter()?;
            let mut state = inode.state.write();
            let state = &mut *state;
            if !state.has(layout::DATA_CLASS_TRUNCATING) || state.gone {
                return Ok(());
            }
            let keep = state.placed_blocks();
            if self.free_from(inode, state, keep)? {
                state.set(layout::DATA_CLASS_TRUNCATING, false);
                self.reconcile_orphan(inode);
            }
            self.mark(inode, state);
        }
    }
}

fn owned(extent: Extent) -> Option<(DataNumber, u64)> {
    match extent {
        Extent::Hole { .. } => None,
        Extent::Unwritten { data, count } | Extent::Written { data, count } => Some((data, count)),
    }
}
