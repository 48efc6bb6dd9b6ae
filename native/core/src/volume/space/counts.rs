//! Counts of blocks: live ones, and reserved ones that will be (docs/format.md 7; docs/design.md 8).

use super::Space;
use crate::base::{Code, Error, Result};
use std::sync::atomic::{AtomicU64, Ordering};

/// Who asks for space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// New file data and names: leaves the reserve alone.
    User,
    /// What must work on a full volume: unlink, truncate, overwrite.
    System,
}

impl Space {
    /// Blocks of the window.
    pub fn total(&self) -> u64 {
        self.total
    }
    pub fn live(&self) -> u64 {
        self.live.load(Ordering::Acquire)
    }
    pub fn delayed(&self) -> u64 {
        self.delayed.load(Ordering::Acquire)
    }
    /// `f_bfree`.
    pub fn free(&self) -> u64 {
        self.total.saturating_sub(self.live() + self.delayed())
    }
    /// `f_bavail`.
    pub fn available(&self) -> u64 {
        self.free().saturating_sub(self.reserve)
    }

    /// Reserves `count` blocks. NoSpace leaves everything as it was.
    pub fn reserve(&self, count: u64, to: Purpose) -> Result<()> {
        if count == 0 {
            return Ok(());
        }
        let kept = if to == Purpose::User { self.reserve } else { 0 };
        let limit = self.total.saturating_sub(kept);
        self.delayed
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |delayed| {
                let next = delayed + count;
                (self.live() + next <= limit).then_some(next)
            })
            .map(drop)
            .map_err(|_| Error::from(Code::NoSpace))
    }
    /// Takes a reservation back.
    pub fn release(&self, count: u64) {
        let before = take_away(&self.delayed, count);
        debug_assert!(before >= count, "more space given back than reserved");
    }
    /// Reserved blocks have become live.
    pub fn placed(&self, count: u64) {
        // Live first: in between, the blocks count twice, never not at all.
        self.live.fetch_add(count, Ordering::AcqRel);
        self.release(count);
    }
    /// Blocks that became live without a reservation: metadata that had to go somewhere.
    pub fn placed_unreserved(&self, count: u64) {
        self.live.fetch_add(count, Ordering::AcqRel);
    }
    /// Blocks that are live no more. A count that is too small stays at 0 and is noted: see
    /// [`Space::miscounted`].
    pub fn freed(&self, count: u64) {
        if take_away(&self.live, count) < count {
            self.miscounted.store(true, Ordering::Relaxed);
        }
    }
    /// Whether more blocks were freed than were counted as live, since this was last asked.
    pub(in crate::volume) fn miscounted(&self) -> bool {
        self.miscounted.swap(false, Ordering::Relaxed)
    }
}

/// Lowers a count, not below 0; gives what it was.
fn take_away(from: &AtomicU64, count: u64) -> u64 {
    let lower = |before: u64| Some(before.saturating_sub(count));
    from.fetch_update(Ordering::AcqRel, Ordering::Acquire, lower).unwrap_or_else(|before| before)
}
