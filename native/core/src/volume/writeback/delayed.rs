//! Delayed blocks: written by a program, not yet placed.

use crate::base::{BLOCK_SIZE, BlockBuf};
use crate::volume::Volume;
use crate::volume::inode::{Delayed, InodeState};
use std::sync::Arc;
use std::sync::atomic::Ordering;

const BLOCK: u64 = BLOCK_SIZE as u64;

impl Volume {
    pub(in crate::volume) fn put_delayed(
        &self,
        state: &mut InodeState,
        index: u64,
        block: Arc<BlockBuf>,
        new: bool,
    ) {
        match state.dirty.insert(index, Delayed { block, new }) {
            // Its reservation was made for what it was.
            Some(before) => debug_assert_eq!(before.new, new, "file block {index}"),
            None => {
                state.new_delayed += u64::from(new);
                self.dirty_blocks.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Drops a delayed block and gives its reservation back.
    pub(in crate::volume) fn drop_delayed(&self, state: &mut InodeState, index: u64) {
        if let Some(delayed) = state.dirty.remove(&index) {
            self.dirty_blocks.fetch_sub(1, Ordering::Relaxed);
            state.new_delayed -= u64::from(delayed.new);
            self.space.release(u64::from(delayed.new));
            if state.new_delayed == 0 {
                self.release_nodes(state);
            }
        }
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

/// Zeroes the bytes of a block that lie behind the end of the file.
pub(in crate::volume) fn clear_behind(block: &mut Arc<BlockBuf>, index: u64, size: u64) {
    let start = index * BLOCK;
    if size < start + BLOCK {
        Arc::make_mut(block)[size.saturating_sub(start) as usize..].fill(0);
    }
}
