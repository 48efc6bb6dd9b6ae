//! Counts of blocks and numbers (docs/format.md 7; docs/design.md 8).

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

/// Space of the window. Counts are of live (owner, index, copy): a block in the overwrite area is
/// charged for its home, a freed block that waits for its proof is not counted.
pub struct Space {
    pub total: u64,
    pub reserve: u64,
    live: AtomicU64,
    /// Blocks promised to delayed data and directory growth.
    delayed: AtomicU64,
}

impl Space {
    pub fn new(total: u64, reserve: u64, live: u64) -> Space {
        Space { total, reserve, live: AtomicU64::new(live), delayed: AtomicU64::new(0) }
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

    /// Promises `count` blocks. NoSpace leaves everything as it was.
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
        let before = self.delayed.fetch_sub(count, Ordering::AcqRel);
        debug_assert!(before >= count, "more space given back than promised");
    }
    /// Promised blocks have become live.
    pub fn placed(&self, count: u64) {
        // Live first: in between, the blocks count twice, never not at all.
        self.live.fetch_add(count, Ordering::AcqRel);
        self.release(count);
    }
    /// Blocks that became live without a reservation: metadata that had to go somewhere.
    pub fn placed_unreserved(&self, count: u64) {
        self.live.fetch_add(count, Ordering::AcqRel);
    }
    pub fn freed(&self, count: u64) {
        let before = self.live.fetch_sub(count, Ordering::AcqRel);
        debug_assert!(before >= count, "more blocks freed than live");
    }
}

/// Inode numbers: given once in the life of a volume.
pub struct Numbers {
    next: AtomicU64,
    /// Numbers below this one are covered by what a commit persisted.
    ahead: AtomicU64,
}

/// How far ahead of use a commit persists the counter.
const AHEAD: u64 = 1 << 20;

impl Numbers {
    pub fn new(next: u64) -> Numbers {
        Numbers { next: AtomicU64::new(next), ahead: AtomicU64::new(next) }
    }
    /// A number never given before. Busy: commit first (more than 2^20 since the last one).
    pub fn give(&self) -> Result<u64> {
        let ahead = self.ahead.load(Ordering::Acquire);
        self.next
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| (n < ahead).then_some(n + 1))
            .map_err(|_| Error::from(Code::Busy))
    }
    /// The value a commit stores; numbers below it may be given once that commit is durable.
    pub fn persist(&self) -> u64 {
        self.next.load(Ordering::Acquire) + AHEAD
    }
    /// A commit that stored `value` is durable.
    pub fn persisted(&self, value: u64) {
        self.ahead.fetch_max(value, Ordering::AcqRel);
    }
    /// What a clean unmount stores: no number is lost.
    pub fn next(&self) -> u64 {
        self.next.load(Ordering::Acquire)
    }
}
