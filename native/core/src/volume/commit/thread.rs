//! The commit thread: places delayed data, closes transactions, writes their records.
//!
//! Order: data and record are submitted together; when all writes have completed, one flush; then
//! the callers are answered. The next record is submitted only after that flush, so a valid record
//! T + 1 proves T.

use super::checkpoint::Job;
use crate::allocator::Holder;
use crate::base::{BLOCK_SIZE, Code, Error, Result, now_ns};
use crate::device::{Run as WriteRun, Ticket, WriteBuf};
use crate::log::checkpoint::LogPoint;
use crate::log::{Commit, Counters, RecordBuilder};
use crate::transaction::Closed;
use crate::volume::Volume;
use crate::volume::inode::Inode;
use crate::volume::transaction::CommitState;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Changes that nobody syncs become durable after this time.
const COMMIT_EVERY: Duration = Duration::from_secs(5);
/// The last transaction of an idle volume is proven after this time.
const PROVE_AFTER: Duration = Duration::from_millis(200);
/// How long after its last growth a file keeps its growth window.
const GROWS_FOR: Duration = Duration::from_secs(10);
/// Commits in a row that free no block for delayed data before the volume gives up.
const FRUITLESS_MAX: usize = 8;
/// Blocks of data of one transaction at most: 256 MiB.
pub(in crate::volume) const DATA_MAX: u64 = (256 << 20) / BLOCK_SIZE as u64;

/// What only the commit thread touches.
pub struct Committer {
    pub epoch: u64,
    /// The running transaction.
    pub txn: u64,
    /// CRC of the last record.
    pub crc: u32,
    builder: RecordBuilder,
    /// Writes of the running transaction that are under way.
    pub(in crate::volume) tickets: Vec<Ticket>,
    /// Blocks of data placed in the running transaction.
    pub(in crate::volume) data_blocks: u64,
    /// Files with blocks in flight.
    pub(in crate::volume) in_flight: BTreeMap<u64, Arc<Inode>>,
    last_commit: Instant,
    /// Blocks placed in the overwrite area before the running transaction.
    pub(in crate::volume) overwrites_before: u64,
    /// Live blocks when the area could not be emptied.
    pub(in crate::volume) overwrites_stuck_at: Option<u64>,
}

/// A transaction that was closed, on its way to the disk.
struct Encoded {
    record: crate::base::AlignedBuf,
    crc: u32,
    position: u64,
    persisted: u64,
    checkpoint: Option<Job>,
}

impl Committer {
    pub fn new(epoch: u64, next: &LogPoint) -> Committer {
        Committer {
            epoch,
            txn: next.txn,
            crc: next.previous_crc,
            builder: RecordBuilder::new(),
            tickets: Vec::new(),
            data_blocks: 0,
            in_flight: BTreeMap::new(),
            last_commit: Instant::now(),
            overwrites_before: 0,
            overwrites_stuck_at: None,
        }
    }

    /// The thread's life.
    pub fn run(mut self, volume: &Arc<Volume>) {
        loop {
            let (target, all_data, stop) = self.wait(volume);
            let done = match target {
                // After a failed write nothing more may be written, not even what would succeed.
                _ if volume.failed.load(Ordering::Acquire) => Ok(()),
                Some(target) => self.serve(volume, target, all_data),
                None => self.write_back(volume),
            };
            if let Err(error) = done {
                volume.fail(&error);
            }
            if stop || volume.failed.load(Ordering::Acquire) {
                let last = if volume.failed.load(Ordering::Acquire) { Ok(()) } else { self.finish(volume) };
                if let Err(error) = last {
                    volume.fail(&error);
                }
                let mut state = volume.commit.lock();
                state.stop = true;
                state.served = state.requested;
                volume.commit_done.notify_all();
                return;
            }
        }
    }

    /// Waits for something to do: a commit to serve (with its request number), or blocks to place.
    fn wait(&mut self, volume: &Volume) -> (Option<u64>, bool, bool) {
        loop {
            let to_reap = !volume.to_reap.lock().is_empty();
            let mut state = volume.commit.lock();
            let nothing_asked = |state: &CommitState| {
                !state.stop && state.requested == state.served && !state.write_back && state.error.is_none()
            };
            if volume.options.sequential {
                volume.commit_wanted.wait_while(&mut state, |state| nothing_asked(state));
            } else if !to_reap && nothing_asked(&state) {
                let idle_unproven = state.durable > state.proven;
                let timeout = if idle_unproven { PROVE_AFTER } else { Duration::from_millis(500) };
                volume.commit_wanted.wait_for(&mut state, timeout);
            }
            if state.stop || state.error.is_some() {
                return (Some(state.requested), true, true);
            }
            if state.requested > state.served {
                return (Some(state.requested), std::mem::take(&mut state.all_data), false);
            }
            if std::mem::take(&mut state.write_back) {
                return (None, false, false);
            }
            let prove = state.durable > state.proven && self.last_commit.elapsed() >= PROVE_AFTER;
            let due = self.last_commit.elapsed() >= COMMIT_EVERY;
            let target = state.requested;
            drop(state);
            if due && volume.has_changes() {
                return (Some(target), true, false);
            }
            if prove && let Err(error) = volume.prove_last() {
                volume.fail(&error);
            }
            volume.reap_some();
            if volume.gate.is_full() {
                return (Some(target), false, false);
            }
        }
    }

    /// One commit for every request up to `target`.
    fn serve(&mut self, volume: &Volume, target: u64, all_data: bool) -> Result<()> {
        let mut fruitless = 0;
        loop {
            let before = volume.stats.data_blocks.load(Ordering::Relaxed);
            let whole = self.place(volume, all_data)?;
            let placed = volume.stats.data_blocks.load(Ordering::Relaxed) > before;
            self.commit(volume)?;
            if whole {
                break;
            }
            // Space was short: what this transaction freed is needed for the rest, before anyone else takes it.
            volume.room.data_first.store(true, Ordering::SeqCst);
            volume.prove_last()?;
            self.empty_overwrites(volume)?;
            fruitless = if placed { 0 } else { fruitless + 1 };
            if fruitless > FRUITLESS_MAX {
                return Err(Error::new(Code::NoSpace, "delayed data finds no free block"));
            }
        }
        volume.room.data_first.store(false, Ordering::SeqCst);
        self.empty_overwrites(volume)?;
        let prove = {
            let state = volume.commit.lock();
            state.prove > state.served
        };
        if prove {
            volume.prove_last()?;
        }
        volume.reap_some();
        let mut state = volume.commit.lock();
        state.served = state.served.max(target);
        volume.commit_done.notify_all();
        Ok(())
    }

    /// Places delayed data in the background.
    fn write_back(&mut self, volume: &Volume) -> Result<()> {
        let whole = self.place(volume, true)?;
        if !whole
            || self.data_blocks >= DATA_MAX.min(volume.dirty_limit * 2)
            || volume.overwrites_are_full()?
        {
            self.commit(volume)?;
            if !whole {
                volume.prove_last()?;
            }
            self.empty_overwrites(volume)?;
        }
        volume.commit.lock().written_back += 1;
        volume.commit_done.notify_all();
        Ok(())
    }

    /// Ends the running transaction and makes it durable.
    pub(in crate::volume) fn commit(&mut self, volume: &Volume) -> Result<()> {
        self.last_commit = Instant::now();
        let mut writes = Vec::new();
        let mut files = Vec::new();
        let encoded = self.close(volume, &mut writes, &mut files)?;
        // What the close placed there is not the next one's share.
        self.overwrites_before = volume.stats.in_area.load(Ordering::Relaxed);
        let Some(encoded) = encoded else {
            return self.settle(volume);
        };
        let blocks: u64 = writes.iter().map(|run: &WriteRun| run.bufs.len() as u64).sum();
        volume.stats.meta_blocks.fetch_add(blocks, Ordering::Relaxed);
        volume.stats.log_bytes.fetch_add(encoded.record.len() as u64, Ordering::Relaxed);
        volume.stats.commits.fetch_add(1, Ordering::Relaxed);
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
        volume.alloc.lock().prove(txn - 1)?;
        {
            let mut state = volume.commit.lock();
            state.durable = txn;
            state.proven = state.proven.max(txn - 1);
        }
        self.settle(volume)?;
        volume.drop_old_growth_windows()?;
        if let Some(job) = encoded.checkpoint {
            volume.start_checkpoint(job)?;
        }
        drop(files);
        Ok(())
    }

    /// Blocks that are on the disk need not stay in memory.
    fn settle(&mut self, volume: &Volume) -> Result<()> {
        volume.queue.wait_for(&self.tickets)?;
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
        volume.wait_for_log(self)?;
        let closed = &volume.gate.close();
        self.place_first(volume, closed)?;
        volume.reconcile_orphans(closed)?;
        files.extend(std::mem::take(&mut *volume.changed.lock()));
        let mut still = Vec::new();
        for inode in files.iter() {
            let file = &mut inode.lock();
            inode.listed.store(false, Ordering::Release);
            if file.gone {
                continue;
            }
            volume.place_meta(closed, file, writes)?;
            volume.write_slot(closed, file)?;
            if !file.dirty.is_empty() {
                inode.listed.store(true, Ordering::Release);
                still.push(inode.clone());
            }
        }
        volume.room.meta_placed(|| volume.free_on_disk())?;
        volume.changed.lock().extend(still);
        let changes = volume.pages.take_changes(closed);
        if changes.is_empty() {
            return Ok(None);
        }
        self.builder.clear();
        volume.describe(closed, &changes, &mut self.builder)?;
        let counters = volume.counters(closed);
        let commit =
            Commit { epoch: self.epoch, txn: self.txn, previous_crc: self.crc, time: now_ns(), counters };
        let (record, crc) = self.builder.finish(&commit, &volume.geometry.map.salt);
        // What keeps records below the quarter of the ring that has room.
        debug_assert!(
            record.len() as u64 <= 2 * closed.cost() + (16 << 10),
            "a record of {} bytes, estimated {}",
            record.len(),
            closed.cost()
        );
        let (position, behind, crowded) = volume.append_record((record.len() / BLOCK_SIZE) as u64)?;
        let end = LogPoint { position: behind, txn: self.txn + 1, previous_crc: crc, counters };
        let checkpoint = (crowded && !volume.checkpointing())
            .then(|| Job { snapshot: volume.pages.snapshot(closed, self.txn), end });
        closed.start(self.txn + 1);
        Ok(Some(Encoded { record, crc, position, persisted: counters.next_number, checkpoint }))
    }

    /// Everything home, the volume closed.
    fn finish(&mut self, volume: &Volume) -> Result<()> {
        volume.fold_read_times();
        loop {
            let whole = self.place(volume, true)?;
            self.commit(volume)?;
            volume.prove_last()?;
            if !whole || volume.reap_all() {
                continue;
            }
            let closed = volume.gate.close();
            if !volume.has_changes() {
                // No operation comes in any more: `enter` refuses them once the volume is closed.
                return volume.close_log(&closed, self.txn, self.crc);
            }
        }
    }
}

impl Volume {
    /// The counters at the end of the closed transaction.
    pub(in crate::volume) fn counters(&self, _: &Closed<'_>) -> Counters {
        Counters {
            next_number: self.numbers.persist(),
            live_blocks: self.space.live(),
            files: self.cortex.used(),
            units: self.units.lock().used(),
        }
    }

    /// A file that has not grown for a while gives its reserved blocks back.
    fn drop_old_growth_windows(&self) -> Result<()> {
        let mut growth_windows = self.growth_windows.lock();
        let old: Vec<u64> = growth_windows
            .iter()
            .filter(|(_, at)| at.elapsed() >= GROWS_FOR)
            .map(|(owner, _)| *owner)
            .collect();
        let mut alloc = self.alloc.lock();
        for owner in old {
            growth_windows.remove(&owner);
            alloc.drop_growth_window(Holder { owner, copy: 0 })?;
        }
        Ok(())
    }

    pub(in crate::volume) fn has_changes(&self) -> bool {
        !self.changed.lock().is_empty() || !self.orphan_changes.lock().is_empty() || self.pages.has_changes()
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
