//! Entering transactions, and waiting where one has grown enough.

use super::requests::CommitState;
use crate::base::{BLOCK_SIZE, Code, Result};
use crate::transaction::Transaction;
use crate::volume::Volume;
use crate::volume::inode::stopped;
use crate::volume::space::Credit;
use std::sync::atomic::Ordering;

/// Delayed data beyond which blocks are placed in the background, in blocks (16 MiB).
const WRITE_BACK_AT: u64 = (16 << 20) / BLOCK_SIZE as u64;
/// Delayed data beyond which writers wait (96 MiB).
const DIRTY_MAX: u64 = (96 << 20) / BLOCK_SIZE as u64;

/// Blocks that data leaves free beside what operations were promised: presence nodes of a scattered file.
const META_HEADROOM: u64 = 8;
/// How often an operation waits for a commit that makes room before its answer stands.
const RETRIES: usize = 4;

/// A transaction that an operation has entered, with room for the META blocks it may change.
pub struct Entered<'a> {
    // Dropped in this order: who holds the gate closed finds no credit out.
    _credit: Credit<'a>,
    transaction: Transaction<'a>,
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

    /// Runs what may answer `Busy`, and again once a commit is proven.
    pub(in crate::volume) fn retry<R>(&self, mut operation: impl FnMut() -> Result<R>) -> Result<R> {
        for _ in 0..RETRIES {
            match operation() {
                Err(error) if error.code == Code::Busy => self.commit_and_prove()?,
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
            if let Some(_credit) = self.credit()? {
                return Ok(Entered { _credit, transaction });
            }
            drop(transaction);
            self.wait_for_proof();
        }
    }

    /// Room for one operation; `None`: not before a commit is proven.
    pub(in crate::volume) fn credit(&self) -> Result<Option<Credit<'_>>> {
        self.room.credit(|| self.free_on_disk(), || self.alloc.lock().deferred_blocks() == 0)
    }

    fn check_open(&self) -> Result<()> {
        let shut = self.options.read_only
            || self.failed.load(Ordering::Acquire)
            || self.closed.load(Ordering::Acquire);
        if shut { Err(stopped()) } else { Ok(()) }
    }

    /// Waits until a commit that begins now is proven, or the volume stopped.
    fn wait_for_proof(&self) {
        let mut state = self.commit.lock();
        let mine = state.ask(true, true);
        self.commit_wanted.notify_one();
        while state.served < mine && state.error.is_none() && !state.stop {
            self.commit_done.wait(&mut state);
        }
    }

    /// Waits, outside any lock, until the running transaction may grow: its log record, its delayed
    /// data and the blocks it will need are bounded.
    pub(in crate::volume) fn throttle(&self) -> Result<()> {
        let dirty = self.dirty_blocks.load(Ordering::Relaxed);
        let cost = self.gate.cost();
        let write_back_at = WRITE_BACK_AT.min(self.dirty_limit / 2);
        if dirty < write_back_at && cost < self.gate.limit() / 2 {
            return Ok(());
        }
        if dirty >= DIRTY_MAX.min(self.dirty_limit) || cost >= self.gate.limit() {
            return self.wait_for_room();
        }
        let mut state = self.commit.lock();
        if cost >= self.gate.limit() / 2 && state.requested == state.served {
            state.ask(true, false);
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

    /// Blocks of the window that may be written now. Those freed by transactions that are not proven,
    /// and their like in the overwrite area, are not among them.
    pub(in crate::volume) fn free_on_disk(&self) -> Result<u64> {
        let (waiting, in_area) = {
            let mut alloc = self.alloc.lock();
            (alloc.deferred_blocks(), alloc.area_used()?)
        };
        let busy = (self.space.live() + waiting).saturating_sub(in_area);
        Ok(self.space.total.saturating_sub(busy))
    }

    /// Claims room for data: half of what operations leave. `mine`: what the file had claimed before.
    /// NoSpace: there is none until a commit is proven.
    pub(in crate::volume) fn take_credits_for_data(&self, mine: u64) -> Result<u64> {
        let want = |free: u64| free.div_ceil(2).min(self.dirty_limit).max(mine);
        match self.room.claim(want, 1, META_HEADROOM, mine, || self.free_on_disk())? {
            0 => Err(Code::NoSpace.into()),
            granted => Ok(granted),
        }
    }

    /// Claims `count` blocks or none. Busy: a commit has to come first.
    pub(in crate::volume) fn take_credits(&self, count: u64) -> Result<u64> {
        match self.room.claim(|_| count, count, 0, 0, || self.free_on_disk())? {
            granted if granted < count => Err(Code::Busy.into()),
            granted => Ok(granted),
        }
    }

    pub(in crate::volume) fn return_credits(&self, claim: u64) -> Result<()> {
        self.room.return_credits(claim, || self.free_on_disk())
    }

    /// Busy: the operation would change more META blocks than there is room for before the next proof.
    pub(in crate::volume) fn need_meta(&self, count: u64) -> Result<()> {
        if self.room.holds(count, || self.free_on_disk())? { Ok(()) } else { Err(Code::Busy.into()) }
    }

    fn wait_for_room(&self) -> Result<()> {
        let mut state = self.commit.lock();
        loop {
            let full = self.dirty_blocks.load(Ordering::Relaxed) >= DIRTY_MAX.min(self.dirty_limit);
            let long = self.gate.cost() >= self.gate.limit();
            if state.error.is_some() || state.stop || !full && !long {
                return Ok(());
            }
            if long && state.requested == state.served {
                state.ask(true, false);
            }
            state.write_back = true;
            self.commit_wanted.notify_one();
            self.commit_done.wait(&mut state);
        }
    }
}
