//! Who does the writes: the queue's threads, and every caller that waits.

use super::pending::{Pending, Piece, WRITE_BLOCKS_MAX};
use super::{Run, Shared, Ticket, WriteBuf};
use crate::base::{BlockNumber, Code, Error, Result};
use crate::device::bounds;
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
    /// Queues the runs under one ticket and wakes a thread for each piece, but `kept` of them, which
    /// the caller is about to do itself.
    pub(super) fn submit(&self, runs: impl IntoIterator<Item = Run>, kept: usize) -> Ticket {
        let mut pending = self.pending.lock();
        let ticket = pending.new_ticket();
        let mut added = 0;
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
            }
        }
        drop(pending);
        for _ in kept..added {
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

    /// Does one queued write, or sleeps until one under way is done.
    fn do_or_await(&self, pending: &mut MutexGuard<'_, Pending>) {
        match pending.start() {
            Some(piece) => self.perform(pending, piece),
            None => self.done.wait(pending),
        }
    }

    fn work_until_closed(&self) {
        let mut pending = self.pending.lock();
        loop {
            match pending.start() {
                Some(piece) => self.perform(&mut pending, piece),
                None if pending.closed() => return,
                None => self.work.wait(&mut pending),
            }
        }
    }

    fn perform(&self, pending: &mut MutexGuard<'_, Pending>, piece: Piece) {
        let Piece { at, bufs, tickets, .. } = piece;
        let result = MutexGuard::unlocked(pending, || {
            let written = catch_unwind(AssertUnwindSafe(|| self.write(BlockNumber(at), &bufs)));
            // Before the ticket is done: whoever waited for it owns its buffers alone again.
            drop(bufs);
            written.unwrap_or_else(|_| Err(Error::new(Code::Io, "the device panicked during a write")))
        });
        pending.finish(at, &tickets, result);
        self.done.notify_all();
    }

    fn write(&self, at: BlockNumber, bufs: &[WriteBuf]) -> Result<()> {
        match bufs {
            [buf] => self.device.write(at, buf.bytes()),
            bufs => {
                let slices: Vec<&[u8]> = bufs.iter().map(WriteBuf::bytes).collect();
                self.device.write_vectored(at, &slices)
            }
        }
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
