//! Physical room: who may use the blocks that can be written now.
//!
//! [`super::counts`] counts what will be there; this counts what can be placed before the next proof. A
//! transaction that was answered must find room for its META blocks when it closes, so operations take a
//! credit before they begin, and data takes only what credits leave.

use crate::base::Result;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

/// META blocks, of all copies, that an operation may change without asking again: a rename between two
/// directories that both split, twice.
pub const CREDIT: u64 = 16;

/// Invariant: `meta + credits + claims <= ` blocks free on the disk, except in a transaction that began alone on
/// a volume that had not even that.
#[derive(Default)]
pub struct Credits {
    /// At most the free blocks less the claims: what the fast path compares with.
    known: AtomicU64,
    /// Promised to operations that run.
    credits: AtomicU64,
    /// META blocks that the running transaction places when it closes.
    meta: AtomicU64,
    /// Blocks claimed for data and not yet placed.
    claims: Mutex<u64>,
    /// Delayed data found no room: no operation begins until it has been placed.
    pub data_first: AtomicBool,
}

/// An operation's share. Given back when dropped.
pub struct Credit<'a>(&'a Credits);

impl Drop for Credit<'_> {
    fn drop(&mut self) {
        self.0.credits.fetch_sub(CREDIT, SeqCst);
    }
}

impl Credits {
    /// Room for one operation. `None`: a commit has to come first. `free`: the blocks free on the disk.
    /// `must`: nothing that is waiting could make more room, so the operation gets what there is.
    pub fn credit(
        &self,
        free: impl FnOnce() -> Result<u64>,
        must: impl FnOnce() -> bool,
    ) -> Result<Option<Credit<'_>>> {
        let others = self.credits.fetch_add(CREDIT, SeqCst);
        let credit = Credit(self);
        if self.data_first.load(SeqCst) {
            return Ok(None);
        }
        if others + CREDIT + self.meta.load(SeqCst) <= self.known.load(SeqCst) {
            return Ok(Some(credit));
        }
        let claims = self.claims.lock();
        let free = self.refresh(*claims, free()?);
        let wanted = self.credits.load(SeqCst) + self.meta.load(SeqCst);
        let alone = wanted == CREDIT && *claims == 0;
        Ok((wanted <= free || alone && must()).then_some(credit))
    }

    /// Whether the running operation may change `count` META blocks, more than its credit covers.
    pub fn holds(&self, count: u64, free: impl FnOnce() -> Result<u64>) -> Result<bool> {
        if count <= CREDIT {
            return Ok(true);
        }
        let claims = self.claims.lock();
        let free = self.refresh(*claims, free()?);
        Ok(self.credits.load(SeqCst) + self.meta.load(SeqCst) + count <= free)
    }

    /// A META block, in `copies`, became one to be placed.
    pub fn add_meta(&self, copies: u64) {
        self.meta.fetch_add(copies, SeqCst);
    }

    /// Claims room for data: at most `want` (of the free blocks) of what is left beyond `keep`, none if less
    /// than `least`.
    /// `mine`: a claim made before, now part of this one.
    pub fn claim(
        &self,
        want: impl FnOnce(u64) -> u64,
        least: u64,
        keep: u64,
        mine: u64,
        free: impl FnOnce() -> Result<u64>,
    ) -> Result<u64> {
        let mut claims = self.claims.lock();
        // Nobody passes by the fast path while this adds up.
        self.known.store(0, SeqCst);
        *claims -= mine;
        let free = free()?;
        let busy = self.credits.load(SeqCst) + self.meta.load(SeqCst) + *claims + keep;
        let room = free.saturating_sub(busy).max(mine.min(free));
        let granted = if room < least { 0 } else { want(free).min(room) };
        *claims += granted;
        self.refresh(*claims, free);
        Ok(granted)
    }

    /// Ends a claim: what was placed of it is in `free`.
    pub fn return_credits(&self, granted: u64, free: impl FnOnce() -> Result<u64>) -> Result<()> {
        if granted == 0 {
            return Ok(());
        }
        let mut claims = self.claims.lock();
        self.known.store(0, SeqCst);
        *claims -= granted;
        self.refresh(*claims, free()?);
        Ok(())
    }

    /// The transaction's META blocks are placed.
    pub fn meta_placed(&self, free: impl FnOnce() -> Result<u64>) -> Result<()> {
        let claims = self.claims.lock();
        self.refresh(*claims, free()?);
        self.meta.store(0, SeqCst);
        Ok(())
    }

    fn refresh(&self, claims: u64, free: u64) -> u64 {
        let known = free.saturating_sub(claims);
        self.known.store(known, SeqCst);
        known
    }
}
