//! Entering transactions, and waiting where one has grown enough.

use super::Volume;
use super::gate::Inside;
use super::load::stopped;
use super::sync::CommitState;
use crate::base::{BLOCK_SIZE, Result};
use std::sync::atomic::Ordering;

/// Delayed data beyond which blocks are placed in the background, in blocks (16 MiB).
const WRITE_BACK_AT: u64 = (16 << 20) / BLOCK_SIZE as u64;
/// Delayed data beyond which writers wait (96 MiB).
const DIRTY_MAX: u64 = (96 << 20) / BLOCK_SIZE as u64;

/// META blocks of a transaction that every volume has room for: a quarter of the smallest reserve.
const META_UNCHECKED: u64 = 16;

impl Volume {
    /// Enters the running transaction for a change. ReadOnly: the volume takes none.
    pub fn enter(&self) -> Result<Inside<'_>> {
        let inside = self.gate.enter();
        // Asked inside: the last checkpoint of a close is taken with the gate closed.
        if self.options.read_only
            || self.failed.load(Ordering::Acquire)
            || self.closed.load(Ordering::Acquire)
        {
            return Err(stopped());
        }
        Ok(inside)
    }

    /// Waits, outside any lock, until the running transaction may grow: its log record, its delayed
    /// data and the blocks it will need are bounded.
    pub fn throttle(&self) -> Result<()> {
        let dirty = self.dirty_blocks.load(Ordering::Relaxed);
        let cost = self.pages.log_cost();
        let crowded = self.is_crowded()?;
        let write_back_at = WRITE_BACK_AT.min(self.dirty_limit / 2);
        if dirty < write_back_at && cost < self.log_limit / 2 && !crowded {
            return Ok(());
        }
        if dirty >= DIRTY_MAX.min(self.dirty_limit) || cost >= self.log_limit || crowded {
            return self.wait_for_room();
        }
        let mut state = self.commit.lock();
        if cost >= self.log_limit / 2 && state.requested == state.served {
            state.requested += 1;
            state.all_data = true;
            self.commit_wanted.notify_one();
        } else if !state.write_back {
            state.write_back = true;
            self.commit_wanted.notify_one();
        }
        if self.options.sequential {
            let before = (state.served, state.written_back);
            let waits = |state: &mut CommitState| {
                (state.served, state.written_back) == before && state.error.is_none() && !state.stop
            };
            self.commit_done.wait_while(&mut state, waits);
        }
        Ok(())
    }

    /// Whether the META blocks that the transaction's end has to place take half of the blocks that are
    /// free on the disk now: a commit has to come before there are more.
    fn is_crowded(&self) -> Result<bool> {
        let needed = self.new_meta.load(Ordering::Acquire);
        if needed < META_UNCHECKED {
            return Ok(false);
        }
        Ok(needed > self.free_on_disk()? / 2)
    }

    /// Blocks of the window that may be written now. Those freed by transactions that are not proven,
    /// and their like in the overwrite area, are not among them.
    fn free_on_disk(&self) -> Result<u64> {
        let (waiting, in_area) = {
            let mut alloc = self.alloc.lock();
            (alloc.deferred_blocks(), alloc.area_used()?)
        };
        let busy = (self.space.live() + waiting).saturating_sub(in_area);
        Ok(self.space.total.saturating_sub(busy))
    }

    /// How many blocks of data may be placed now: half of what is free, less what the transaction's
    /// META blocks need. NoSpace: none.
    pub(super) fn data_room(&self) -> Result<u64> {
        let kept = META_UNCHECKED / 2 + 2 * self.new_meta.load(Ordering::Acquire);
        let room = self.free_on_disk()?.saturating_sub(kept);
        if room == 0 {
            return Err(crate::base::Code::NoSpace.into());
        }
        Ok(room.div_ceil(2).min(self.dirty_limit))
    }

    fn wait_for_room(&self) -> Result<()> {
        let mut state = self.commit.lock();
        loop {
            let full = self.dirty_blocks.load(Ordering::Relaxed) >= DIRTY_MAX.min(self.dirty_limit);
            let long = self.pages.log_cost() >= self.log_limit;
            let crowded = self.is_crowded()?;
            if state.error.is_some() || state.stop || !full && !long && !crowded {
                return Ok(());
            }
            if (long || crowded) && state.requested == state.served {
                state.requested += 1;
                state.all_data = true;
            }
            state.write_back = true;
            self.commit_wanted.notify_one();
            self.commit_done.wait(&mut state);
        }
    }
}
