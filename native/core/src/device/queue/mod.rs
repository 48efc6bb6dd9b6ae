//! Writes that run side by side: the commit path and the checkpoint writer hand in what is to be
//! written and wait for all of it at once.
//!
//! - Adjacent blocks leave as one vectored write of up to 1 MiB, whoever handed them in.
//! - Two writes of one block never overlap in time and arrive in the order they were submitted.
//! - The first failure is kept: after it nothing more is written, and every wait returns it. A later
//!   write must not reach the disk when an earlier one it builds upon did not.
//! - Whoever waits does writes itself: waking a thread costs as much as a write to fast storage.

mod pending;
#[cfg(test)]
mod tests;
mod workers;

use self::pending::Pending;
use super::Device;
use crate::base::{AlignedBuf, BLOCK_SIZE, BlockBuf, BlockNumber, PooledBuf, Result};
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::thread::JoinHandle;

/// Writes under way at once unless the caller says otherwise: enough to keep an SSD busy.
pub const QUEUE_DEPTH: usize = 8;

/// Memory that the queue reads from until its write is done.
pub enum WriteBuf {
    /// One block, shared with its owner, who may go on reading it.
    Block(Arc<BlockBuf>),
    Shared(Arc<AlignedBuf>),
    Owned(AlignedBuf),
    /// Returns to its pool when written.
    Pooled(PooledBuf),
}

impl WriteBuf {
    pub fn bytes(&self) -> &[u8] {
        match self {
            WriteBuf::Block(buf) => &buf[..],
            WriteBuf::Shared(buf) => buf,
            WriteBuf::Owned(buf) => buf,
            WriteBuf::Pooled(buf) => buf,
        }
    }
    fn block_count(&self) -> u64 {
        (self.bytes().len() / BLOCK_SIZE) as u64
    }
}

/// Buffers for consecutive blocks.
pub struct Run {
    pub at: BlockNumber,
    pub bufs: Vec<WriteBuf>,
}

/// Names everything that one call submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// Asynchronous writes to one device, several under way at once. Callable from many threads.
///
/// A submitted write is as volatile as a [`Device::write`] that returned when a wait for it has
/// returned; [`IoQueue::flush`] makes everything submitted before it durable. Submitting blocks while
/// too much is waiting, or while an earlier write of the same block is not done.
pub struct IoQueue {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// What the queue's threads and its callers work on.
struct Shared {
    device: Arc<dyn Device>,
    /// Writes that the device takes from one call.
    at_once: usize,
    pending: Mutex<Pending>,
    /// There is something to write, or the queue ends.
    work: Condvar,
    /// A write is done.
    done: Condvar,
}

impl IoQueue {
    /// A queue with [`QUEUE_DEPTH`] writes under way at once.
    pub fn new(device: Arc<dyn Device>) -> Result<IoQueue> {
        IoQueue::with_depth(device, QUEUE_DEPTH)
    }

    /// At most `depth` writes under way at once, beside those of waiting callers (0: they do it all,
    /// in the order of submission). Error: the host gives no threads.
    pub fn with_depth(device: Arc<dyn Device>, depth: usize) -> Result<IoQueue> {
        let shared = Arc::new(Shared {
            at_once: device.writes_at_once().max(1),
            device,
            pending: Mutex::new(Pending::default()),
            work: Condvar::new(),
            done: Condvar::new(),
        });
        let mut queue = IoQueue { shared, threads: Vec::new() };
        for number in 0..depth {
            queue.threads.push(workers::spawn(number, Arc::clone(&queue.shared))?);
        }
        Ok(queue)
    }

    pub fn device(&self) -> &Arc<dyn Device> {
        &self.shared.device
    }

    /// Writes one buffer at block `at`.
    pub fn submit(&self, at: BlockNumber, buf: WriteBuf) -> Ticket {
        self.submit_all([Run { at, bufs: vec![buf] }])
    }

    /// Writes consecutive blocks from `at` on.
    pub fn submit_run(&self, at: BlockNumber, bufs: Vec<Arc<BlockBuf>>) -> Ticket {
        self.submit_all([Run { at, bufs: bufs.into_iter().map(WriteBuf::Block).collect() }])
    }

    /// Writes several runs. They become visible to the threads together, so that what is adjacent
    /// leaves together: better than one submit per page.
    pub fn submit_all(&self, runs: impl IntoIterator<Item = Run>) -> Ticket {
        self.shared.submit(runs, 0)
    }

    /// As [`IoQueue::submit_all`], for a caller who is going to wait or to call [`IoQueue::start`]: as much as it can
    /// write with one call is left for it.
    pub fn submit_soon(&self, runs: impl IntoIterator<Item = Run>) -> Ticket {
        self.shared.submit(runs, 1)
    }

    /// Wakes threads for all that was submitted and that nobody has begun.
    pub fn start(&self) {
        let queued = self.shared.pending.lock().queued();
        for _ in 0..queued.div_ceil(self.shared.at_once) {
            self.shared.work.notify_one();
        }
    }

    /// Submits and waits; the caller's thread does its share without waking another for it.
    pub fn write_all(&self, runs: impl IntoIterator<Item = Run>) -> Result<()> {
        let ticket = self.shared.submit(runs, 1);
        self.wait(ticket)
    }

    /// Returns when everything under this ticket is written, with the queue's first error if any
    /// write of it has failed.
    pub fn wait(&self, ticket: Ticket) -> Result<()> {
        self.shared.wait_while(|pending| pending.has_ticket(ticket.0))
    }

    /// As [`IoQueue::wait`] for several tickets.
    pub fn wait_for(&self, tickets: &[Ticket]) -> Result<()> {
        tickets.iter().try_for_each(|&ticket| self.wait(ticket))
    }

    /// Returns when everything submitted before the call is written.
    pub fn barrier(&self) -> Result<()> {
        let last = self.shared.pending.lock().last_ticket();
        self.shared.wait_while(|pending| pending.has_ticket_up_to(last))
    }

    /// [`IoQueue::barrier`], then one flush of the device. A failed flush is kept as a failed write.
    pub fn flush(&self) -> Result<()> {
        self.barrier()?;
        self.shared.device.flush().map_err(|error| self.shared.pending.lock().fail(error))
    }

    /// The first error, if there was one.
    pub fn error(&self) -> Result<()> {
        self.shared.pending.lock().error()
    }
}

/// Waits for what is submitted; who needs to know how it went calls [`IoQueue::barrier`] before.
impl Drop for IoQueue {
    fn drop(&mut self) {
        self.shared.pending.lock().close();
        self.shared.work.notify_all();
        for thread in self.threads.drain(..) {
            // A worker catches what a device does; there is nothing to learn from its end.
            let _ = thread.join();
        }
    }
}
