//! What makes blocks live and what frees them: allocator, descriptors, free map and the overwrite
//! area's index in step.

use super::Blocks;
use super::table::BlockKey;
use crate::allocator::placement::{self, Burst, FileState, Growth, Plan};
use crate::allocator::{FreeMapSource, Holder, Run};
use crate::base::{Code, DataNumber, Error, Ino, Result};
use crate::device::Device;
use crate::format::{BlockPlace, Region, Stamp};
use crate::pages::{CachedPage, PageCache};
use crate::transaction::Transaction;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long after its last growth a file keeps its growth window.
const GROWS_FOR: Duration = Duration::from_secs(10);
/// How often all of them are looked through: not at each commit.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// Files with a growth window behind their end.
pub(super) struct Grown {
    /// When they last grew.
    files: BTreeMap<Ino, Instant>,
    swept: Instant,
}

impl Default for Grown {
    fn default() -> Grown {
        Grown { files: BTreeMap::new(), swept: Instant::now() }
    }
}

/// Consecutive blocks that will be freed, with all that freeing them touches. Made by
/// [`Blocks::prepare_free`], so that [`Blocks::free`] cannot fail; dropped, it changes nothing.
pub struct Leaving {
    /// What the first of them holds.
    key: BlockKey,
    run: Run,
    /// Pages of the free map.
    maps: Vec<Arc<CachedPage>>,
}

impl Leaving {
    /// Blocks.
    pub fn count(&self) -> u64 {
        self.run.len
    }
}

/// The free map for the allocator.
pub(super) struct FreeMap(pub Arc<PageCache>);

impl FreeMapSource for FreeMap {
    fn load(&self, page: u64) -> Result<Option<Box<[u64; 504]>>> {
        if self.0.is_blank(Region::Free, page) {
            return Ok(None);
        }
        let loaded = self.0.get(Region::Free, page)?;
        let mut words = Box::new([0u64; 504]);
        loaded.with(|bytes| {
            for (word, chunk) in words.iter_mut().zip(bytes.chunks_exact(8)) {
                *word = u64::from_le_bytes(chunk.try_into().expect("eight bytes"));
            }
        });
        Ok(Some(words))
    }
}

impl Blocks {
    /// Brings the pages that a change of these blocks touches to memory, where `held` keeps them, so that
    /// the change itself cannot fail. Corrupt: a write of the free map was lost.
    pub fn prepare(&self, first: DataNumber, count: u64, held: &mut Vec<Arc<CachedPage>>) -> Result<()> {
        self.table.prepare(first.0, count, held)
    }

    /// Where the bursts of one copy of a file go; the pages of the new blocks are prepared. An error
    /// changes nothing. NoSpace: nowhere.
    pub fn plan(&self, file: &FileState, bursts: &[Burst], held: &mut Vec<Arc<CachedPage>>) -> Result<Plan> {
        let plan = placement::plan(&mut self.allocator.lock(), file, bursts)?;
        for piece in &plan.pieces {
            if let Err(error) = self.prepare(piece.data, piece.len, held) {
                self.undo(&plan)?;
                return Err(error);
            }
        }
        if file.growth == Growth::File {
            self.grown.lock().files.insert(file.holder.owner, Instant::now());
        }
        Ok(plan)
    }

    /// Gives the blocks of a plan back that came to nothing.
    pub fn undo(&self, plan: &Plan) -> Result<()> {
        plan.undo(&mut self.allocator.lock())
    }

    /// Makes planned blocks live: consecutive blocks that hold consecutive indices from `place` on, with
    /// their stamps (none for preallocated blocks).
    pub fn make_live(
        &self,
        tx: &Transaction<'_>,
        first: DataNumber,
        place: &BlockPlace,
        count: u64,
        stamps: &[Stamp],
    ) -> Result<()> {
        self.table.set_run(tx, first.0, place, count, stamps)?;
        if self.window.in_area(first) {
            let key = BlockKey { owner: place.owner, index: place.index, copy: place.copy() };
            self.overwrites.insert_run(key, first, count);
        }
        Ok(())
    }

    /// Whether every block of a run is in use.
    pub fn in_use(&self, first: DataNumber, count: u64) -> Result<bool> {
        Ok(self.table.map_pages(first.0, count)?.is_some())
    }

    /// Makes sure that a run of blocks, of which the first holds `key`, can be freed. Corrupt: not all of it is
    /// in use.
    pub fn prepare_free(&self, key: BlockKey, first: DataNumber, count: u64) -> Result<Leaving> {
        let run = Run::new(first, count);
        let Some(maps) = self.table.map_pages(first.0, count)? else {
            let text = format!("file {}, block {}: the free map calls it free", key.owner, key.index);
            return Err(Error::new(Code::Corrupt, text));
        };
        self.allocator.lock().prepare_free(run)?;
        Ok(Leaving { key, run, maps })
    }

    /// Frees blocks. They may be used again once the transaction is proven.
    pub fn free(&self, tx: &Transaction<'_>, leaving: Leaving) {
        let Leaving { key, run, maps } = leaving;
        self.allocator.lock().defer_free(tx.number(), run);
        self.table.free_run(tx, &maps, run.start.0, run.len);
        if self.window.in_area(run.start) {
            self.overwrites.remove_run(key, run.start, run.len);
        }
    }

    /// What transactions up to `txn` freed may be used again: they are proven.
    pub fn prove(&self, txn: u64) -> Result<()> {
        let Some(discarder) = &self.discarder else { return self.allocator.lock().prove(txn).map(drop) };
        let proven = self.allocator.lock().take_proven(txn);
        // Nobody is given them before the host has been told.
        proven.iter().for_each(|run| discarder.discard(self.block(run.start), run.len));
        self.allocator.lock().release_proven(proven)
    }

    /// Tells the host that the next run of at least `min` free blocks of the window is unused, at most `max` of it.
    /// Whoever calls has credits for `max` blocks, for nobody is given these meanwhile. `None`: there is no such
    /// run; errors: those of the free map, and of the device.
    pub fn discard_next(
        &self,
        device: &dyn Device,
        zone: Range<u64>,
        min: u64,
        max: u64,
    ) -> Result<Option<Run>> {
        let Some(run) = self.allocator.lock().claim_next(zone, min, max)? else { return Ok(None) };
        let discarded = device.discard(self.block(run.start), run.len);
        self.allocator.lock().release(run)?;
        discarded.map(|()| Some(run))
    }

    /// Blocks of the window that may not be written: of `live` blocks those that are not in the overwrite area,
    /// and those that wait for the proof of what freed them.
    pub fn busy_in_window(&self, live: u64) -> Result<u64> {
        let mut allocator = self.allocator.lock();
        let everywhere = live + allocator.deferred_blocks();
        Ok(everywhere.saturating_sub(allocator.area_used()?))
    }

    /// Whether the next proof makes blocks free.
    pub fn free_waits_for_proof(&self) -> bool {
        self.allocator.lock().deferred_blocks() > 0
    }

    /// A file keeps no room behind its end any more.
    pub fn drop_growth_windows(&self, owner: Ino) -> Result<()> {
        let mut allocator = self.allocator.lock();
        (0..2).try_for_each(|copy| allocator.drop_growth_window(Holder { owner, copy }))
    }

    /// Files that have not grown for a while give the room behind their ends back.
    pub fn drop_old_growth_windows(&self) -> Result<()> {
        let mut grown = self.grown.lock();
        if grown.swept.elapsed() < SWEEP_EVERY {
            return Ok(());
        }
        grown.swept = Instant::now();
        let old: Vec<Ino> =
            grown.files.iter().filter(|(_, at)| at.elapsed() >= GROWS_FOR).map(|(owner, _)| *owner).collect();
        for owner in old {
            grown.files.remove(&owner);
            self.drop_growth_windows(owner)?;
        }
        Ok(())
    }
}
