//! Entering transactions, and waiting where one has grown enough.

use super::commits::{Commits, Grown, Soon, stopped};
use crate::base::{BLOCK_SIZE, Code, Result};
use crate::transaction::Transaction;
use crate::volume::Volume;
use crate::volume::space::Credit;
use std::sync::atomic::Ordering;

/// Delayed data beyond which blocks are placed in the background, in blocks (16 MiB).
const WRITE_BACK_AT: u64 = (16 << 20) / BLOCK_SIZE as u64;
/// Delayed data beyond which writers wait (96 MiB).
const DIRTY_MAX: u64 = (96 << 20) / BLOCK_SIZE as u64;

/// META blocks of all copies that a transaction changes at most, beside those of the operations that run: their
/// bytes stay in memory until it is durable.
const META_MAX: u64 = 16_384;

/// How often an operation waits for a commit that makes room before its answer stands.
const RETRIES: usize = 4;

/// A transaction that an operation has entered, with room for the META blocks it may change.
pub struct Entered<'a> {
    commits: &'a Commits,
    // Dropped in this order: who holds the gate closed finds no credit out.
    _credit: Credit<'a>,
    transaction: Transaction<'a>,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        // Still inside the transaction, which does not end any more.
        if std::thread::panicking() {
            self.commits.panicked();
        }
    }
}

impl<'a> std::ops::Deref for Entered<'a> {
    type Target = Transaction<'a>;
    fn deref(&self) -> &Transaction<'a> {
        &self.transaction
    }
}

impl Volume {
    /// Runs a change in a transaction. It waits first while the running one is as large as it may be, and
    /// runs again where it finds the volume momentarily out of numbers or physical space (`Busy`) and a
    /// commit makes room. Waits, so call it without any lock. ReadOnly: the volume takes no change.
    pub fn change<R>(&self, mut operation: impl FnMut(&Transaction<'_>) -> Result<R>) -> Result<R> {
        self.throttle()?;
        self.retry(|| operation(&*self.enter()?))
    }

    /// Runs what may answer `Busy`, and again once a commit is proven; what finds no room, again once the files
    /// without a name are gone.
    pub(in crate::volume) fn retry<R>(&self, mut operation: impl FnMut() -> Result<R>) -> Result<R> {
        for _ in 0..RETRIES {
            match operation() {
                Err(error) if error.code == Code::Busy => self.commit_and_prove()?,
                Err(error) if error.code.is_no_room() && self.commits.reap() => {}
                done => return done,
            }
        }
        operation()
    }

    /// Enters the running transaction for a change. ReadOnly: the volume takes none.
    pub(in crate::volume) fn enter(&self) -> Result<Entered<'_>> {
        loop {
            // The gate first: a credit held in the queue before it would keep room from the data that a commit
            // has to place.
            let transaction = self.gate.enter();
            // Asked inside: the last checkpoint of a close is taken with the gate closed.
            self.check_open()?;
            if let Some(_credit) = self.space.credit()? {
                return Ok(Entered { commits: &self.commits, _credit, transaction });
            }
            drop(transaction);
            // Whether that failed shows when it looks again.
            let _ = self.commits.request(true, true);
        }
    }

    fn check_open(&self) -> Result<()> {
        if self.options.read_only { Err(stopped()) } else { self.commits.check_open() }
    }

    /// Waits, outside any lock, until the running transaction may grow: its log record, its delayed
    /// data and the blocks it will need are bounded.
    pub(in crate::volume) fn throttle(&self) -> Result<()> {
        let dirty = self.dirty_blocks.load(Ordering::Relaxed);
        let cost = self.gate.cost();
        let write_back_at = WRITE_BACK_AT.min(self.dirty_limit / 2);
        let meta = self.space.meta_to_place();
        let long_soon = cost >= self.gate.limit() / 2 || meta >= META_MAX / 2;
        if dirty < write_back_at && !long_soon {
            return Ok(());
        }
        if dirty >= DIRTY_MAX.min(self.dirty_limit) || cost >= self.gate.limit() || meta >= META_MAX {
            self.wait_for_room();
            return Ok(());
        }
        self.commits.ask_soon(if long_soon { Soon::Commit } else { Soon::WriteBack });
        Ok(())
    }

    fn wait_for_room(&self) {
        self.commits.wait_for_room(|| Grown {
            full: self.dirty_blocks.load(Ordering::Relaxed) >= DIRTY_MAX.min(self.dirty_limit),
            long: self.gate.is_full() || self.space.meta_to_place() >= META_MAX,
        });
    }
}
