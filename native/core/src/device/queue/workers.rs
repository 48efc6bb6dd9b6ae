//! Who does the writes: the queue's threads, and every caller that waits.

use super::pending::{Pending, Piece, WRITE_BLOCKS_MAX};
use super::{Run, Shared, Ticket, WriteBuf};
use crate::base::{BlockNumber, Code, Error, Result};
use crate::device::{BlockWrite, bounds};
use parking_lot::MutexGuard;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

/// A write needs little stack.
const STACK_BYTES: usize = 128 << 10;

pub(super) fn spawn(number: usize, shared: Arc<Shared>) -> Result<JoinHandle<()>> {
    thread::Builder::new()
        .name(format!("hn4-io-{number}"))
        .stack_size(STACK_BYTES)
        .spawn(move || shared.work_until_closed())
        .map_err(|cause| Error::new(Code::Io, format!("cannot start an I/O thread: {cause}")))
}

impl Shared {
    /// Queues the runs under one ticket and wakes a thread for each call that they need, but for `kept` of these,
    /// which the caller is about to do itself.
    pub(super) fn submit(&self, runs: impl IntoIterator<Item = Run>, kept: u64) -> Ticket {
        let mut pending = self.pending.lock();
        let ticket = pending.new_ticket();
        let (mut added, mut length) = (0, 0);
        for run in runs {
            for (at, bufs) in split(run) {
                let blocks = bufs.iter().map(WriteBuf::block_count).sum();
                if let Err(error) = bounds::check_blocks(self.device.block_count(), at, blocks) {
                    pending.fail(error);
                }
                while !pending.accepts(at.0, blocks) {
                    self.do_or_await(&mut pending);
                }
                pending.add(ticket, at, bufs);
                added += 1;
                length += blocks;
            }
        }
        drop(pending);
        // As a thread takes them.
        let calls = u64::div_ceil(added, self.at_once as u64).max(length.div_ceil(WRITE_BLOCKS_MAX));
        for _ in kept..calls {
            self.work.notify_one();
        }
        Ticket(ticket)
    }

    /// Works until `unfinished` is false; then the first error, if any.
    pub(super) fn wait_while(&self, unfinished: impl Fn(&Pending) -> bool) -> Result<()> {
        let mut pending = self.pending.lock();
        while unfinished(&pending) {
            self.do_or_await(&mut pending);
        }
        pending.error()
    }

    /// Does some queued writes, or sleeps until one under way is done.
    fn do_or_await(&self, pending: &mut MutexGuard<'_, Pending>) {
        let pieces = pending.start_some(self.at_once);
        if pieces.is_empty() {
            self.done.wait(pending);
        } else {
            self.perform(pending, pieces);
        }
    }

    fn work_until_closed(&self) {
        let mut pending = self.pending.lock();
        loop {
            let pieces = pending.start_some(self.at_once);
            if !pieces.is_empty() {
                self.perform(&mut pending, pieces);
            } else if pending.closed() {
                return;
            } else {
                self.work.wait(&mut pending);
            }
        }
    }

    fn perform(&self, pending: &mut MutexGuard<'_, Pending>, pieces: Vec<Piece>) {
        let (written, result) = MutexGuard::unlocked(pending, || {
            let result = catch_unwind(AssertUnwindSafe(|| self.write(&pieces)));
            // Before the tickets are done: whoever waited for them owns its buffers alone again.
            let written: Vec<_> = pieces.into_iter().map(|piece| (piece.at, piece.tickets)).collect();
            (
                written,
                result.unwrap_or_else(|_| Err(Error::new(Code::Io, "the device panicked during a write"))),
            )
        });
        for (at, tickets) in written {
            pending.finish(at, &tickets, result.clone());
        }
        self.done.notify_all();
    }

    fn write(&self, pieces: &[Piece]) -> Result<()> {
        if let [Piece { at, bufs, .. }] = pieces
            && let [buf] = &bufs[..]
        {
            return self.device.write(BlockNumber(*at), buf.bytes());
        }
        let bufs: Vec<Vec<&[u8]>> =
            pieces.iter().map(|piece| piece.bufs.iter().map(WriteBuf::bytes).collect()).collect();
        let writes = pieces.iter().zip(&bufs);
        let writes: Vec<_> =
            writes.map(|(piece, bufs)| BlockWrite { at: BlockNumber(piece.at), bufs }).collect();
        self.device.write_many(&writes)
    }
}

/// Cuts a run into pieces for one write each; a single longer buffer stays whole.
fn split(run: Run) -> impl Iterator<Item = (BlockNumber, Vec<WriteBuf>)> {
    let mut at = run.at;
    let mut bufs = run.bufs.into_iter().peekable();
    std::iter::from_fn(move || {
        let mut blocks = 0;
        let mut piece = Vec::new();
        while let Some(buf) =
            bufs.next_if(|next| blocks == 0 || blocks + next.block_count() <= WRITE_BLOCKS_MAX)
        {
            blocks += buf.block_count();
            piece.push(buf);
        }
        let start = at;
        at = BlockNumber(at.0.saturating_add(blocks));
        (!piece.is_empty()).then_some((start, piece))
    })
}
