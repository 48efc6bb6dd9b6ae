//! The log as a space that fills and is emptied: proven images go to their places, the tail moves, in a thread
//! of its own.
//!
//! Rules:
//! - only images of a proven transaction are written in place;
//! - the tail moves behind a transaction once its images are on the disk, in both copies;
//! - one checkpoint at a time, and one checkpoint block.

use crate::base::{Code, Error, Result};
use crate::device::Device;
use crate::format::Geometry;
use crate::format::layout::Checkpoint;
use crate::log::Ring;
use crate::log::{LogPoint, checkpoint};
use crate::pages::{PageCache, Snapshot};
use crate::volume::blocks::Blocks;
use crate::volume::transaction::Commits;
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What a checkpoint writes: the images at the end of a transaction, and the log's place behind it.
pub struct Job {
    pub snapshot: Snapshot,
    pub end: LogPoint,
}

/// Where a record goes.
pub struct Place {
    pub position: u64,
    /// The position behind it.
    pub behind: u64,
    /// The log should be emptied.
    pub crowded: bool,
}

/// What checkpoints act on.
pub struct Parts {
    pub device: Arc<dyn Device>,
    pub geometry: Geometry,
    pub pages: Arc<PageCache>,
    pub blocks: Arc<Blocks>,
    pub commits: Arc<Commits>,
    /// For tests that want the same trace twice: a checkpoint runs where it is started.
    pub sequential: bool,
}

/// Ring and checkpoint block of a volume, and the checkpoints that keep the ring from filling up.
pub struct Checkpointer {
    parts: Parts,
    /// Space of the ring.
    ring: Mutex<Ring>,
    /// The checkpoint block in force; its lock is held while the next is written and flushed.
    block: Mutex<Checkpoint>,
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

impl Checkpointer {
    pub fn new(parts: Parts, ring: Ring, block: Checkpoint) -> Checkpointer {
        Checkpointer {
            parts,
            ring: Mutex::new(ring),
            block: Mutex::new(block),
            work: Mutex::default(),
            wake: Condvar::new(),
            done: Condvar::new(),
        }
    }

    /// The thread's life, until [`Checkpointer::stop`].
    pub fn run(&self) {
        loop {
            let job = {
                let mut work = self.work.lock();
                self.wake.wait_while(&mut work, |work| work.job.is_none() && !work.stop);
                match work.job.take() {
                    Some(job) => job,
                    None => return,
                }
            };
            let done = self.checkpoint(&job);
            self.abandon();
            if let Err(error) = done {
                self.parts.commits.fail(&error);
            }
        }
    }

    /// The thread ends once nothing waits for it.
    pub fn stop(&self) {
        self.work.lock().stop = true;
        self.wake.notify_all();
    }

    /// No checkpoint runs any more: wakes who waits for one.
    pub fn abandon(&self) {
        self.work.lock().busy = false;
        self.done.notify_all();
    }

    pub fn is_busy(&self) -> bool {
        self.work.lock().busy
    }

    /// Hands a checkpoint to the thread. None may be under way.
    pub fn start(&self, job: Job) -> Result<()> {
        if self.parts.sequential {
            return self.checkpoint(&job);
        }
        let mut work = self.work.lock();
        debug_assert!(!work.busy);
        work.busy = true;
        work.job = Some(job);
        self.wake.notify_one();
        Ok(())
    }

    /// Proves the job's transaction, writes its images in place, moves the tail behind it.
    fn checkpoint(&self, job: &Job) -> Result<()> {
        self.prove(job.end.txn - 1)?;
        self.write_in_place(&job.snapshot)?;
        self.parts.commits.stats.checkpoints.fetch_add(1, Ordering::Relaxed);
        self.move_tail(&job.end, false)
    }

    fn write_in_place(&self, snapshot: &Snapshot) -> Result<()> {
        let pages = self.parts.pages.write_in_place(&*self.parts.device, snapshot)?;
        self.parts.commits.stats.pages_in_place.fetch_add(pages as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Proves every transaction up to `txn`, which is durable: the next record does it for nothing, an
    /// idle volume and a checkpoint write a checkpoint block.
    fn prove(&self, txn: u64) -> Result<()> {
        if self.parts.commits.proven() >= txn {
            return Ok(());
        }
        {
            let mut block = self.block.lock();
            let next = block.with_proven(txn.max(block.proven_txn));
            self.write_block(&mut block, next)?;
        }
        self.parts.blocks.prove(txn)?;
        self.parts.commits.proved(txn);
        Ok(())
    }

    /// Proves the last durable transaction.
    pub fn prove_last(&self) -> Result<()> {
        self.prove(self.parts.commits.durable())
    }

    /// The log begins at `tail` from now on.
    fn move_tail(&self, tail: &LogPoint, clean: bool) -> Result<()> {
        let mut block = self.block.lock();
        let proven = block.proven_txn.max(self.parts.commits.proven());
        let next = if clean { block.closed(tail) } else { block.with_tail(tail, proven.max(tail.txn - 1)) };
        self.ring.lock().tail_moves(tail.position)?;
        self.write_block(&mut block, next)?;
        self.ring.lock().tail_moved();
        Ok(())
    }

    /// Makes `next` the checkpoint block in force.
    fn write_block(&self, block: &mut Checkpoint, next: Checkpoint) -> Result<()> {
        checkpoint::write(&*self.parts.device, &self.parts.geometry, &next)?;
        self.parts.device.flush()?;
        *block = next;
        Ok(())
    }

    /// Whether the checkpoint block in force stands where it was written.
    pub fn stands(&self) -> bool {
        let block = self.block.lock();
        let Ok(found) = checkpoint::read(&*self.parts.device, &self.parts.geometry) else { return false };
        let Checkpoint { magic, salt, crc, .. } = found.checkpoint;
        // Those are given to it when it is encoded.
        Checkpoint { magic, salt, crc, ..*block } == found.checkpoint
    }

    /// Position of the next record.
    pub fn head(&self) -> u64 {
        self.ring.lock().head()
    }

    /// Blocks of the ring that the log takes, with those that wait for a flush.
    pub fn held(&self) -> u64 {
        self.ring.lock().held()
    }

    /// Reserves `blocks` of the ring for a record. Io: there is no room.
    pub fn append(&self, blocks: u64) -> Result<Place> {
        let mut ring = self.ring.lock();
        let Some(position) = ring.append(blocks) else {
            return Err(Error::new(
                Code::Io,
                format!("a record of {blocks} blocks finds no room in the log"),
            ));
        };
        // At a third: with this record's quarter and the next one's there is always room for one more.
        let crowded = ring.held() * 3 > self.parts.geometry.ring_blocks();
        Ok(Place { position, behind: ring.head(), crowded })
    }

    /// Waits until a record of the largest size fits the ring, and until a checkpoint under way has ended where
    /// memory holds too many pages for the next. `now`: a checkpoint that can be written at once, where none is
    /// under way.
    pub fn wait_for_room(&self, now: impl Fn() -> Result<Job>) -> Result<()> {
        let needed = self.parts.geometry.record_blocks_max();
        loop {
            self.parts.commits.check_running()?;
            let fits = self.ring.lock().free() >= needed;
            let mut work = self.work.lock();
            if fits && !(work.busy && self.parts.pages.are_too_many_dirty()) {
                return Ok(());
            }
            if work.busy {
                self.done.wait(&mut work);
            } else {
                drop(work);
                self.checkpoint(&now()?)?;
            }
        }
    }

    /// The last checkpoint of a volume, when every commit is proven: everything is in place, nothing to
    /// replay. `job` is asked once no other is under way.
    pub fn close(&self, job: impl FnOnce() -> Job) -> Result<()> {
        self.done.wait_while(&mut self.work.lock(), |work| work.busy);
        self.parts.commits.check_running()?;
        let job = job();
        self.write_in_place(&job.snapshot)?;
        self.move_tail(&job.end, true)
    }
}
