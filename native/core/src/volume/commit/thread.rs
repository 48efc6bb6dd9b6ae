//! The commit thread: places delayed data, closes transactions, writes their records.
//!
//! Order: data and record are submitted together; when all writes have completed, one flush; then
//! the callers are answered. The next record is submitted only after that flush, so a valid record
//! T + 1 proves T.

use super::checkpoint::Job;
use super::committer::{Committer, DATA_MAX};
use super::place::Placed;
use crate::base::{BLOCK_SIZE, Code, Error, Result, now_ns, trim_blocks};
use crate::device::{Run as WriteRun, WriteBuf};
use crate::log::LogPoint;
use crate::log::{Commit, Counters};
use crate::transaction::Closed;
use crate::volume::Volume;
use crate::volume::inode::Inode;
use crate::volume::transaction::Work;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Changes that nobody syncs become durable after this time.
const COMMIT_EVERY: Duration = Duration::from_secs(5);
/// Times of reads alone are worth a commit after this time.
const READ_TIMES_EVERY: Duration = Duration::from_secs(60);
/// How often an idle thread looks for work of its own.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The last transaction of an idle volume is proven after this time.
const PROVE_AFTER: Duration = Duration::from_millis(200);
/// Commits in a row that free no block for delayed data before the volume gives up.
const FRUITLESS_MAX: usize = 8;
/// Transactions that emptying the overwrite area may take.
const AREA_ROUNDS: usize = 4;

/// A transaction that was closed, on its way to the disk.
struct Encoded {
    record: crate::base::AlignedBuf,
    crc: u32,
    position: u64,
    persisted: u64,
    checkpoint: Option<Job>,
}

/// Rounds of the work before the end that have changed nothing.
#[derive(Default)]
struct Rounds {
    /// Files, live blocks, times of reads that wait.
    left: (u64, u64, usize),
    fruitless: usize,
}

impl Rounds {
    /// Io: the last [`FRUITLESS_MAX`] rounds left as much to do as the one before them.
    fn one_more(&mut self, volume: &Volume) -> Result<()> {
        let left = (volume.cortex.used(), volume.space.live(), volume.inodes.read_times.waiting());
        self.fruitless = if left == self.left { self.fruitless + 1 } else { 0 };
        self.left = left;
        match self.fruitless > FRUITLESS_MAX {
            true => Err(Error::new(Code::Io, "the work before the end does not come to an end")),
            false => Ok(()),
        }
    }
}

impl Committer {
    /// The thread's life.
    pub fn run(mut self, volume: &Arc<Volume>) {
        loop {
            let work = self.wait(volume);
            // At the end the image is looked at whatever the host says.
            let looked = match work {
                Work::Nothing => Ok(()),
                _ if volume.commits.is_failed() => Ok(()),
                _ => volume.image.lock().check(volume, matches!(work, Work::Stop { .. })),
            };
            let done = match work {
                // After a failed write nothing more may be written, not even what would succeed.
                _ if volume.commits.is_failed() => Ok(()),
                _ if looked.is_err() => looked,
                Work::Commit { target, all_data } => self.serve(volume, target, all_data),
                Work::Stop { target } => self.serve(volume, target, true).and_then(|()| self.finish(volume)),
                Work::WriteBack => self.write_back(volume),
                Work::Nothing => Ok(()),
            };
            if let Err(error) = done {
                volume.commits.fail(&error);
            }
            if matches!(work, Work::Stop { .. }) || volume.commits.is_failed() {
                return volume.commits.end();
            }
        }
    }

    /// Waits for something to do.
    fn wait(&mut self, volume: &Volume) -> Work {
        loop {
            let patience = match volume.commits.is_unproven() {
                _ if volume.options.sequential => None,
                _ if volume.reaper.is_due() || volume.commits.is_reaping_asked() => Some(Duration::ZERO),
                true => Some(PROVE_AFTER),
                false => Some(LOOK_EVERY),
            };
            let work = volume.commits.next(patience);
            if work != Work::Nothing {
                return work;
            }
            if patience == Some(LOOK_EVERY) {
                trim_blocks();
            }
            if !volume.options.sequential
                && let Err(error) = volume.image.lock().check(volume, false)
            {
                volume.commits.fail(&error);
                continue;
            }
            volume.neighbours.rest();
            let age = self.last_commit.elapsed();
            let read_times = volume.inodes.read_times.waiting() > 0;
            if age >= COMMIT_EVERY && volume.has_changes() || age >= READ_TIMES_EVERY && read_times {
                volume.fold_read_times();
                return Work::Commit { target: 0, all_data: true };
            }
            if volume.inodes.read_times.are_many() {
                volume.fold_read_times();
                return Work::Commit { target: 0, all_data: false };
            }
            if age >= PROVE_AFTER
                && volume.commits.is_unproven()
                && let Err(error) = volume.checkpointer.prove_last()
            {
                volume.commits.fail(&error);
            }
            let asked = volume.commits.reaping_asked();
            let progress = volume.reap_some();
            if volume.gate.is_full() {
                return Work::Commit { target: 0, all_data: false };
            }
            if !progress {
                volume.commits.reaped(asked);
            }
        }
    }

    /// One commit for every request up to `target`.
    fn serve(&mut self, volume: &Volume, target: u64, all_data: bool) -> Result<()> {
        if !volume.options.sequential {
            // What is gone before the commit needs no entry among the orphans.
            volume.reap_some();
        }
        self.place_until_whole(volume, all_data)?;
        self.empty_overwrites(volume)?;
        if volume.commits.is_proof_asked() {
            volume.checkpointer.prove_last()?;
        }
        volume.reap_some();
        volume.commits.serve(target);
        Ok(())
    }

    /// Commits until no delayed data is left behind for want of room. NoSpace: [`FRUITLESS_MAX`] commits in a row
    /// have placed none of it.
    fn place_until_whole(&mut self, volume: &Volume, all_data: bool) -> Result<()> {
        let mut fruitless = 0;
        loop {
            let before = volume.commits.stats.data_blocks.load(Ordering::Relaxed);
            let whole = self.place_all(volume, all_data)?;
            let placed = volume.commits.stats.data_blocks.load(Ordering::Relaxed) > before;
            self.commit(volume)?;
            if whole {
                break;
            }
            // Space was short: what this transaction freed is needed for the rest, before anyone else takes it.
            volume.space.set_data_first(true);
            volume.checkpointer.prove_last()?;
            self.empty_overwrites(volume)?;
            fruitless = if placed { 0 } else { fruitless + 1 };
            if fruitless > FRUITLESS_MAX {
                return Err(Error::new(Code::NoSpace, "delayed data finds no free block"));
            }
        }
        volume.space.set_data_first(false);
        Ok(())
    }

    /// Places delayed data in the background.
    fn write_back(&mut self, volume: &Volume) -> Result<()> {
        if self.fruitless > FRUITLESS_MAX {
            // Writers wait for this room: they get it, or the error.
            self.place_until_whole(volume, true)?;
        }
        let before = volume.commits.stats.data_blocks.load(Ordering::Relaxed);
        let whole = self.place_all(volume, true)?;
        let placed = volume.commits.stats.data_blocks.load(Ordering::Relaxed) > before;
        self.fruitless = if whole || placed { 0 } else { self.fruitless + 1 };
        if !whole
            || self.data_blocks >= DATA_MAX.min(volume.dirty_limit * 2)
            || volume.blocks.overwrites_are_full()?
        {
            self.commit(volume)?;
            if !whole {
                volume.checkpointer.prove_last()?;
            }
            self.empty_overwrites(volume)?;
        }
        volume.queue.start();
        volume.commits.wrote_back();
        Ok(())
    }

    /// Places delayed data and ends transactions as they fill. False: space ran short.
    fn place_all(&mut self, volume: &Volume, all: bool) -> Result<bool> {
        let mut placed = self.place(volume, all)?;
        while placed == Placed::Full {
            self.commit(volume)?;
            // Only what is left: files that change meanwhile must not keep this going.
            placed = self.place(volume, false)?;
        }
        Ok(placed == Placed::Whole)
    }

    /// Copies the overwrite area home once it is three quarters full, between transactions.
    fn empty_overwrites(&mut self, volume: &Volume) -> Result<()> {
        if self.is_stuck(volume) || !volume.blocks.overwrites_are_full()? {
            return Ok(());
        }
        volume.checkpointer.prove_last()?;
        let files = volume.overwrites_to_memory()?;
        for _ in 0..AREA_ROUNDS {
            let mut whole = true;
            for inode in &files {
                let mut placed = self.place_moved_out(volume, inode)?;
                while placed == Placed::Full {
                    self.commit(volume)?;
                    placed = self.place_moved_out(volume, inode)?;
                }
                whole &= placed == Placed::Whole;
            }
            self.commit(volume)?;
            volume.checkpointer.prove_last()?;
            if whole {
                break;
            }
        }
        // Blocks without another home keep it full: the next try would cost as much and end as this one.
        self.overwrites_stuck_at = volume.blocks.overwrites_are_full()?.then(|| volume.space.live());
        Ok(())
    }

    /// Ends the running transaction and makes it durable.
    fn commit(&mut self, volume: &Volume) -> Result<()> {
        self.last_commit = Instant::now();
        let mut writes = Vec::new();
        let mut files = Vec::new();
        let encoded = self.close(volume, &mut writes, &mut files)?;
        // What the close placed there is not the next one's share.
        self.overwrites_before = volume.commits.stats.in_area.load(Ordering::Relaxed);
        let Some(encoded) = encoded else {
            return self.settle(volume);
        };
        let blocks: u64 = writes.iter().map(|run: &WriteRun| run.bufs.len() as u64).sum();
        volume.commits.stats.meta_blocks.fetch_add(blocks, Ordering::Relaxed);
        volume.commits.stats.log_bytes.fetch_add(encoded.record.len() as u64, Ordering::Relaxed);
        volume.commits.stats.commits.fetch_add(1, Ordering::Relaxed);
        writes.extend(volume.log_runs(encoded.position, encoded.record));
        volume.queue.write_all(writes)?;
        volume.queue.wait_for(&self.tickets)?;
        volume.device.flush()?;
        let txn = self.txn;
        self.crc = encoded.crc;
        self.txn += 1;
        self.tickets.clear();
        self.data_blocks = 0;
        volume.numbers.persisted(encoded.persisted);
        // This record proves the one before it: blocks that one freed may be used again.
        volume.blocks.prove(txn - 1)?;
        volume.commits.committed(txn);
        self.settle(volume)?;
        volume.blocks.drop_old_growth_windows()?;
        drop(files);
        volume.inodes.trim();
        volume.inodes.trim_meta(txn);
        if let Some(job) = encoded.checkpoint {
            volume.checkpointer.start(job)?;
        }
        Ok(())
    }

    /// Blocks that are on the disk need not stay in memory.
    fn settle(&mut self, volume: &Volume) -> Result<()> {
        volume.queue.wait_for(&self.tickets)?;
        if !self.in_flight.is_empty() {
            // While memory still has them: from then on the device is asked.
            volume.neighbours.forget();
        }
        for (_, inode) in std::mem::take(&mut self.in_flight) {
            inode.lock().in_flight.clear();
        }
        Ok(())
    }

    /// Closes the running transaction while no operation runs. `None`: it changed nothing.
    fn close(
        &mut self,
        volume: &Volume,
        writes: &mut Vec<WriteRun>,
        files: &mut Vec<Arc<Inode>>,
    ) -> Result<Option<Encoded>> {
        // Room in the ring first: a record as long as the cost allows must fit.
        volume.checkpointer.wait_for_room(|| self.last_commit_again(volume))?;
        let closed = &volume.gate.close()?;
        let named = self.place_first(volume, closed)?;
        volume.reconcile_orphans(closed)?;
        files.extend(volume.agenda.take_changed());
        let mut still = Vec::new();
        for inode in files.iter() {
            let file = &mut inode.lock();
            if !file.gone {
                // What these mark is listed still, and not once more.
                volume.place_meta(closed, file, writes)?;
                volume.write_slot(closed, file)?;
            }
            if file.gone || file.dirty.is_empty() {
                inode.listed.store(false, Ordering::Release);
            } else {
                still.push(inode.clone());
            }
        }
        volume.space.meta_placed()?;
        volume.agenda.keep_changed(still);
        let changes = volume.pages.take_changes(closed);
        if changes.is_empty() {
            return Ok(None);
        }
        self.builder.clear();
        volume.describe(closed, &named, &changes, &mut self.builder)?;
        let counters = volume.counters(closed);
        // Each of them says so once; both are asked.
        if volume.space.miscounted() | volume.cortex.miscounted() {
            volume
                .reporter
                .line("the volume's counters are wrong: more was freed than was in use; run fsck.hn4 -n");
        }
        let commit =
            Commit { epoch: self.epoch, txn: self.txn, previous_crc: self.crc, time: now_ns(), counters };
        // By recovery's own rules: what it would refuse must not be answered as durable.
        let (record, crc) = self.builder.finish_checked(&commit, &volume.geometry)?;
        // What keeps records below the quarter of the ring that has room.
        debug_assert!(
            record.len() as u64 <= 2 * closed.cost() + (16 << 10),
            "a record of {} bytes, estimated {}",
            record.len(),
            closed.cost()
        );
        let place = volume.checkpointer.append((record.len() / BLOCK_SIZE) as u64)?;
        let end = LogPoint { position: place.behind, txn: self.txn + 1, previous_crc: crc, counters };
        let due = place.crowded || volume.pages.are_many_dirty();
        let checkpoint = (due && !volume.checkpointer.is_busy())
            .then(|| Job { snapshot: volume.pages.snapshot(closed, self.txn), end });
        closed.start(self.txn + 1);
        Ok(Some(Encoded {
            record,
            crc,
            position: place.position,
            persisted: counters.next_number,
            checkpoint,
        }))
    }

    /// Everything home, the volume closed. NoSpace: delayed data finds no room. Io: the work does not come to an end.
    fn finish(&mut self, volume: &Volume) -> Result<()> {
        let mut rounds = Rounds::default();
        loop {
            volume.fold_read_times();
            self.place_until_whole(volume, true)?;
            volume.checkpointer.prove_last()?;
            let more = volume.reap_all() || volume.inodes.read_times.waiting() > 0;
            rounds.one_more(volume)?;
            if more {
                continue;
            }
            let closed = volume.gate.close()?;
            if !volume.has_changes() {
                // No operation comes in any more: `enter` refuses them once the volume is closed.
                return volume.checkpointer.close(|| {
                    let mut job = self.job(volume, &closed);
                    // No number is lost.
                    job.end.counters.next_number = volume.numbers.next();
                    job
                });
            }
        }
    }

    /// A checkpoint of the state behind the last commit.
    fn job(&self, volume: &Volume, closed: &Closed<'_>) -> Job {
        let end = LogPoint {
            position: volume.checkpointer.head(),
            txn: self.txn,
            previous_crc: self.crc,
            counters: volume.counters(closed),
        };
        Job { snapshot: volume.pages.snapshot(closed, self.txn - 1), end }
    }

    /// As [`Committer::job`], while the next transaction runs. Io: it has changed pages, so that their images
    /// are not proven; its own commit must come first, and the ring has room for one.
    fn last_commit_again(&self, volume: &Volume) -> Result<Job> {
        let closed = volume.gate.close()?;
        if volume.pages.has_changes() {
            return Err(Error::new(Code::Io, "the log is full while a transaction runs"));
        }
        Ok(self.job(volume, &closed))
    }
}

impl Volume {
    /// The counters at the end of the closed transaction.
    pub(super) fn counters(&self, _: &Closed<'_>) -> Counters {
        Counters {
            next_number: self.numbers.persist(),
            live_blocks: self.space.live(),
            files: self.cortex.used(),
            units: self.units.lock().used(),
        }
    }

    pub(super) fn has_changes(&self) -> bool {
        !self.agenda.is_empty() || self.pages.has_changes()
    }

    /// The runs that write a record at a place of the ring.
    fn log_runs(&self, position: u64, record: crate::base::AlignedBuf) -> Vec<WriteRun> {
        let blocks = (record.len() / BLOCK_SIZE) as u64;
        let before_end = blocks.min(self.geometry.ring_blocks() - position);
        let at = self.geometry.ring_block(position);
        if before_end == blocks {
            return vec![WriteRun { at, bufs: vec![WriteBuf::Owned(record)] }];
        }
        let cut = before_end as usize * BLOCK_SIZE;
        let parts = [(at, &record[..cut]), (self.geometry.ring_block(0), &record[cut..])];
        parts
            .into_iter()
            .map(|(at, bytes)| WriteRun {
                at,
                bufs: vec![WriteBuf::Owned(crate::base::AlignedBuf::copy_of(bytes))],
            })
            .collect()
    }
}

#[cfg(test)]
#[path = "illegal_tests.rs"]
mod tests;
