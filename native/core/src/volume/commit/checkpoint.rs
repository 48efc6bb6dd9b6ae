//! Checkpoints: proven images go home, the log's tail moves, in a thread of their own.

use super::committer::Committer;
use crate::base::{Code, Error, Result};
use crate::format::layout::Checkpoint;
use crate::log::Ring;
use crate::log::checkpoint::{self, LogPoint};
use crate::pages::Snapshot;
use crate::transaction::Closed;
use crate::volume::Volume;
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What a checkpoint writes: the images at the end of a transaction, and the log's place behind it.
pub struct Job {
    pub snapshot: Snapshot,
    pub end: LogPoint,
}

/// The log as a whole. One lock: checkpoint blocks are written one at a time.
pub struct Log {
    /// Space of the ring.
    pub ring: Mutex<Ring>,
    /// The checkpoint block in force; its lock is held while the next is written and flushed.
    pub block: Mutex<Checkpoint>,
    work: Mutex<Work>,
    wake: Condvar,
    done: Condvar,
}

#[derive(Default)]
struct Work {
    job: Option<Job>,
    busy: bool,
    stop: bool,
}

impl Log {
    pub fn new(ring: Ring, block: Checkpoint) -> Log {
        Log {
            ring: Mutex::new(ring),
            block: Mutex::new(block),
            work: Mutex::default(),
            wake: Condvar::new(),
            done: Condvar::new(),
        }
    }
}

impl Volume {
    /// The checkpoint thread's life.
    pub(in crate::volume) fn checkpoint_thread(self: &Arc<Volume>) {
        loop {
            let job = {
                let mut work = self.log.work.lock();
                while work.job.is_none() && !work.stop {
                    self.log.wake.wait(&mut work);
                }
                match work.job.take() {
                    Some(job) => job,
                    None => return,
                }
            };
            let done = self.run_checkpoint(&job);
            self.log.work.lock().busy = false;
            self.log.done.notify_all();
            if let Err(error) = done {
                self.commits.fail(&error);
            }
        }
    }

    pub(in crate::volume) fn stop_checkpoints(&self) {
        self.log.work.lock().stop = true;
        self.log.wake.notify_all();
    }
    /// Nobody writes checkpoints any more: wakes who waits for one.
    pub(in crate::volume) fn abandon_checkpoints(&self) {
        self.log.work.lock().busy = false;
        self.log.done.notify_all();
    }
    pub(in crate::volume) fn checkpointing(&self) -> bool {
        self.log.work.lock().busy
    }
    pub(in crate::volume) fn start_checkpoint(&self, job: Job) -> Result<()> {
        if self.options.sequential {
            return self.run_checkpoint(&job);
        }
        let mut work = self.log.work.lock();
        debug_assert!(!work.busy);
        work.busy = true;
        work.job = Some(job);
        self.log.wake.notify_one();
        Ok(())
    }

    /// Proves the job's transaction, writes its images home, moves the tail behind it.
    pub(in crate::volume) fn run_checkpoint(&self, job: &Job) -> Result<()> {
        self.prove(job.end.txn - 1)?;
        let pages = self.pages.write_in_place(&*self.device, &job.snapshot)?;
        self.commits.stats.pages_in_place.fetch_add(pages as u64, Ordering::Relaxed);
        self.commits.stats.checkpoints.fetch_add(1, Ordering::Relaxed);
        self.move_tail(&job.end, false)
    }

    /// Proves every transaction up to `txn`, which is durable: the next record does it for nothing, an
    /// idle volume and a checkpoint write a checkpoint block.
    fn prove(&self, txn: u64) -> Result<()> {
        if self.commits.proven() >= txn {
            return Ok(());
        }
        {
            let mut block = self.log.block.lock();
            let next = block.with_proven(txn.max(block.proven_txn));
            checkpoint::write(&*self.device, &self.geometry, &next)?;
            self.device.flush()?;
            *block = next;
        }
        self.blocks.prove(txn)?;
        self.commits.proved(txn);
        Ok(())
    }

    /// Proves the last durable transaction.
    pub(in crate::volume) fn prove_last(&self) -> Result<()> {
        self.prove(self.commits.durable())
    }

    /// The log begins at `tail` from now on.
    fn move_tail(&self, tail: &LogPoint, clean: bool) -> Result<()> {
        let mut block = self.log.block.lock();
        let proven = block.proven_txn.max(self.commits.proven());
        let next = if clean { block.closed(tail) } else { block.with_tail(tail, proven.max(tail.txn - 1)) };
        self.log.ring.lock().tail_moves(tail.position)?;
        checkpoint::write(&*self.device, &self.geometry, &next)?;
        self.device.flush()?;
        *block = next;
        self.log.ring.lock().tail_moved();
        Ok(())
    }

    /// Reserves `blocks` of the ring for a record: its position, the position behind it, and whether
    /// the log should be emptied.
    pub(in crate::volume) fn append_record(&self, blocks: u64) -> Result<(u64, u64, bool)> {
        if blocks > self.geometry.record_blocks_max() {
            // No reader would take it: better to stop here than to answer an fsync with it.
            return Err(Error::new(
                Code::Io,
                format!("a record of {blocks} blocks is too large for the log"),
            ));
        }
        let mut ring = self.log.ring.lock();
        let position = ring.append(blocks).ok_or_else(|| {
            Error::new(Code::Io, format!("a record of {blocks} blocks finds no room in the log"))
        })?;
        // At a third: with this record's quarter and the next one's there is always room for one more.
        let crowded = ring.held() * 3 > self.geometry.ring_blocks();
        Ok((position, ring.head(), crowded))
    }

    /// Waits until a record of the largest size fits the ring.
    pub(in crate::volume) fn wait_for_log(&self, committer: &Committer) -> Result<()> {
        let needed = self.geometry.record_blocks_max();
        loop {
            self.commits.check_running()?;
            if self.log.ring.lock().free() >= needed {
                return Ok(());
            }
            let mut work = self.log.work.lock();
            if work.busy {
                self.log.done.wait(&mut work);
                drop(work);
                self.commits.check_running()?;
                continue;
            }
            drop(work);
            self.checkpoint_now(committer)?;
        }
    }

    /// A checkpoint of the state behind the last commit, at once.
    fn checkpoint_now(&self, committer: &Committer) -> Result<()> {
        let closed = self.gate.close();
        if self.pages.has_changes() {
            // The running transaction has changed pages: their images are not proven. Its own commit
            // must come first, and the ring has room for one.
            return Err(Error::new(Code::Io, "the log is full while a transaction runs"));
        }
        let position = self.log.ring.lock().head();
        let end = LogPoint {
            position,
            txn: committer.txn,
            previous_crc: committer.crc,
            counters: self.counters(&closed),
        };
        let job = Job { snapshot: self.pages.snapshot(&closed, committer.txn - 1), end };
        drop(closed);
        self.run_checkpoint(&job)
    }

    /// The last checkpoint of a volume, when every commit is proven: everything is in place, nothing to
    /// replay.
    pub(in crate::volume) fn close_log(&self, closed: &Closed<'_>, txn: u64, crc: u32) -> Result<()> {
        {
            let mut work = self.log.work.lock();
            while work.busy {
                self.log.done.wait(&mut work);
            }
        }
        self.commits.check_running()?;
        let snapshot = self.pages.snapshot(closed, txn - 1);
        let pages = self.pages.write_in_place(&*self.device, &snapshot)?;
        self.commits.stats.pages_in_place.fetch_add(pages as u64, Ordering::Relaxed);
        let mut counters = self.counters(closed);
        counters.next_number = self.numbers.next();
        let position = self.log.ring.lock().head();
        self.move_tail(&LogPoint { position, txn, previous_crc: crc, counters }, true)
    }
}
