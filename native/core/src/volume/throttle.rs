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

impl Volume {
    /// Enters the running transaction for a change. ReadOnly: the volume takes none.
    pub fn enter(&self) -> Result<Inside<'_>> {
        if self.options.read_only
            || self.failed.load(Ordering::Acquire)
            || self.closed.load(Ordering::Acquire)
        {
            return Err(stopped());
        }
        Ok(self.gate.enter())
    }

    /// Waits, outside any lock, until the running transaction may grow: its log record, its delayed
    /// data and the blocks it will need are bounded.
    pub fn throttle(&self) -> Result<()> {
        let dirty = self.dirty_blocks.load(Ordering::Relaxed);
        let cost = self.pages.log_cost();
        let write_back_at = WRITE_BACK_AT.min(self.dirty_limit / 2);
        if dirty < write_back_at && cost < self.log_limit / 2 {
            return Ok(());
        }
        if dirty >= DIRTY_MAX.min(self.dirty_limit) || cost >= self.log_limit {
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

    fn wait_for_room(&self) -> Result<()> {
        let mut state = self.commit.lock();
        loop {
            let full = self.dirty_blocks.load(Ordering::Relaxed) >= DIRTY_MAX.min(self.dirty_limit);
            let long = self.pages.log_cost() >= self.log_limit;
            if state.error.is_some() || state.stop || !full && !long {
                return Ok(());
            }
            if long && state.requested == state.served {
                state.requested += 1;
                state.all_data = true;
            }
            state.write_back = true;
            self.commit_wanted.notify_one();
            self.commit_done.wait(&mut state);
        }
    }
}
