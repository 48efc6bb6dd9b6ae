//! Credits: who may use the blocks that can be written now.
//!
//! A transaction that was answered must find room for its META blocks when it closes, so operations take
//! a credit before they begin, and data takes only what those leave.

use super::Space;
use crate::base::{Code, Result};
use std::sync::atomic::Ordering::SeqCst;

/// META blocks, of all copies, that an operation may change without asking again: a rename between two
/// directories that both split, twice.
pub const CREDIT: u64 = 16;

/// Blocks that data leaves free beside the operations' credits: presence nodes of a scattered file.
const META_HEADROOM: u64 = 8;

/// An operation's credit. Given back when dropped.
pub struct Credit<'a>(&'a Space);

impl Drop for Credit<'_> {
    fn drop(&mut self) {
        self.0.operations.fetch_sub(CREDIT, SeqCst);
    }
}

impl Space {
    /// A credit for one operation. `None`: a commit has to be proven first.
    pub(in crate::volume) fn credit(&self) -> Result<Option<Credit<'_>>> {
        let others = self.operations.fetch_add(CREDIT, SeqCst);
        let credit = Credit(self);
        if self.data_first.load(SeqCst) {
            return Ok(None);
        }
        if others + CREDIT + self.meta.load(SeqCst) <= self.known.load(SeqCst) {
            return Ok(Some(credit));
        }
        let data = self.data.lock();
        let left = self.refresh(*data, self.free_on_disk()?);
        let wanted = self.operations.load(SeqCst) + self.meta.load(SeqCst);
        // Where nothing that waits could make more room, the operation gets what there is.
        let alone = wanted == CREDIT && *data == 0;
        Ok((wanted <= left || alone && !self.blocks.free_waits_for_proof()).then_some(credit))
    }

    /// Whether the running operation may change `count` META blocks, more than its credit covers.
    pub(in crate::volume) fn has_credits_for(&self, count: u64) -> Result<bool> {
        if count <= CREDIT {
            return Ok(true);
        }
        let data = self.data.lock();
        let left = self.refresh(*data, self.free_on_disk()?);
        Ok(self.operations.load(SeqCst) + self.meta.load(SeqCst) + count <= left)
    }

    /// Busy: the operation would change more META blocks than can be written before the next proof.
    pub(in crate::volume) fn need_meta(&self, count: u64) -> Result<()> {
        if self.has_credits_for(count)? { Ok(()) } else { Err(Code::Busy.into()) }
    }

    /// META blocks, of all copies, became ones to be placed.
    pub(in crate::volume) fn add_meta(&self, blocks: u64) {
        self.meta.fetch_add(blocks, SeqCst);
    }

    /// META blocks, of all copies, that wait for the end of the running transaction.
    pub(in crate::volume) fn meta_to_place(&self) -> u64 {
        self.meta.load(SeqCst)
    }

    /// The transaction's META blocks are placed.
    pub(in crate::volume) fn meta_placed(&self) -> Result<()> {
        let data = self.data.lock();
        self.refresh(*data, self.free_on_disk()?);
        self.meta.store(0, SeqCst);
        Ok(())
    }

    /// Takes credits for data: half of what operations leave, but not more than `most`. `mine`: credits that
    /// the file held before, now part of these. NoSpace: there are none until a commit is proven.
    pub(in crate::volume) fn take_credits_for_data(&self, mine: u64, most: u64) -> Result<u64> {
        let want = |free: u64| free.div_ceil(2).min(most).max(mine);
        match self.take(want, 1, META_HEADROOM, mine)? {
            0 => Err(Code::NoSpace.into()),
            granted => Ok(granted),
        }
    }

    /// Takes `count` credits or none. Busy: a commit has to come first.
    pub(in crate::volume) fn take_credits(&self, count: u64) -> Result<u64> {
        match self.take(|_| count, count, 0, 0)? {
            granted if granted < count => Err(Code::Busy.into()),
            granted => Ok(granted),
        }
    }

    /// Takes at most `want` (of the free blocks) of what is left beyond `keep`, none if less than `least`.
    fn take(&self, want: impl FnOnce(u64) -> u64, least: u64, keep: u64, mine: u64) -> Result<u64> {
        let mut data = self.data.lock();
        // Nobody passes by the fast path while this adds up.
        self.known.store(0, SeqCst);
        *data -= mine;
        let free = self.free_on_disk()?;
        let busy = self.operations.load(SeqCst) + self.meta.load(SeqCst) + *data + keep;
        let left = free.saturating_sub(busy).max(mine.min(free));
        let granted = if left < least { 0 } else { want(free).min(left) };
        *data += granted;
        self.refresh(*data, free);
        Ok(granted)
    }

    /// Gives credits back: what was placed for them is not free any more.
    pub(in crate::volume) fn return_credits(&self, granted: u64) -> Result<()> {
        if granted == 0 {
            return Ok(());
        }
        let mut data = self.data.lock();
        self.known.store(0, SeqCst);
        *data -= granted;
        self.refresh(*data, self.free_on_disk()?);
        Ok(())
    }

    /// Whether operations wait until delayed data that found no room has been placed.
    pub(in crate::volume) fn set_data_first(&self, yes: bool) {
        self.data_first.store(yes, SeqCst);
    }

    /// Blocks of the window that may be written now. Those freed by transactions that are not proven,
    /// and their like in the overwrite area, are not among them.
    fn free_on_disk(&self) -> Result<u64> {
        Ok(self.total.saturating_sub(self.blocks.busy_in_window(self.live())?))
    }

    fn refresh(&self, data: u64, free: u64) -> u64 {
        let known = free.saturating_sub(data);
        self.known.store(known, SeqCst);
        known
    }
}
