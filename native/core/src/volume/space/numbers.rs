//! Inode numbers (docs/format.md 7).

use crate::base::{Code, Error, Ino, Result};
use crate::log::NUMBER_MAX;
use std::sync::atomic::{AtomicU64, Ordering};

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
    /// A number never given before. Busy: commit first (more than 2^20 since the last one). CortexFull: all
    /// numbers were given.
    pub fn give(&self) -> Result<u64> {
        let ahead = self.ahead.load(Ordering::Acquire);
        self.next.fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| (n < ahead).then_some(n + 1)).map_err(
            |next| if next >= NUMBER_MAX { Error::from(Code::CortexFull) } else { Error::from(Code::Busy) },
        )
    }
    /// A file has this number. True: it should not have been given yet, so the counter was wrong; it is right
    /// now, as far as this file goes.
    pub fn learn(&self, number: Ino) -> bool {
        if number < self.next.load(Ordering::Acquire) {
            return false;
        }
        self.next.fetch_max((number + 1).min(NUMBER_MAX), Ordering::AcqRel) <= number
    }
    /// The value a commit stores; numbers below it may be given once that commit is durable.
    pub fn persist(&self) -> u64 {
        (self.next.load(Ordering::Acquire) + AHEAD).min(NUMBER_MAX)
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
