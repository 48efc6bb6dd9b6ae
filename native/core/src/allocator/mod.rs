//! Which data blocks may be used: free blocks, growth windows, and where a burst of writes goes
//! (docs/design.md 3). A structure in memory; deterministic; no I/O of its own.
//!
//! Life of a block: available -> claimed (busy) by a placement -> live once its transaction is
//! durable -> freed by a transaction ([`Allocator::defer_free`], still busy) -> available again
//! when that transaction is proven ([`Allocator::prove`]).
//! A placement that fails gives its claims back ([`Allocator::release`]).
//!
//! Memory: 1 bit a block of the pages that something asked for, 2 bytes a group of 4,032 blocks.

mod area;
mod bits;
mod growth_window;
mod map;
pub mod placement;
mod search;

use std::collections::BTreeMap;
use std::ops::Range;

use crate::base::{Code, DataNumber, Error, Ino, Result};
use crate::format::Window;
use growth_window::GrowthWindows;
use map::{BusyMap, Layer};

/// Pages of the free map (docs/format.md 2), asked for once each.
pub trait FreeMapSource {
    /// The bits of a page as 504 words, with every transaction up to now; `None`: never written,
    /// all free.
    ///
    /// # Errors
    /// Whatever reading the page met; the operation that needed it fails and may be tried again.
    fn load(&self, page: u64) -> Result<Option<Box<[u64; 504]>>>;
}

/// Consecutive data blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Run {
    pub start: DataNumber,
    /// Blocks.
    pub len: u64,
}

impl Run {
    pub fn new(start: DataNumber, len: u64) -> Run {
        Run { start, len }
    }
    /// First data number behind it.
    pub fn end(self) -> u64 {
        self.start.0 + self.len
    }
}

/// Whose growth window: the blocks of one copy of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holder {
    pub owner: Ino,
    pub copy: u8,
}

/// What searching has cost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SearchStats {
    pub searches: u64,
    /// Bitmap words looked at, by searches and run lengths.
    pub words: u64,
    /// Free map pages loaded.
    pub pages: u64,
}

/// The allocator of one volume. Its callers share it behind one lock.
pub struct Allocator {
    window: Window,
    map: BusyMap,
    growth_windows: GrowthWindows,
    /// Runs freed by transactions that are not yet proven.
    deferred: BTreeMap<u64, Vec<Run>>,
    deferred_blocks: u64,
    area: area::Area,
    searches: u64,
}

impl Allocator {
    /// The allocator of a volume whose free map `source` gives. Loads nothing.
    pub fn new(window: Window, source: Box<dyn FreeMapSource + Send>) -> Allocator {
        Allocator {
            window,
            map: BusyMap::new(window.data_blocks(), source),
            growth_windows: GrowthWindows::default(),
            deferred: BTreeMap::new(),
            deferred_blocks: 0,
            area: area::Area::default(),
            searches: 0,
        }
    }

    pub fn window(&self) -> &Window {
        &self.window
    }
    pub fn stats(&self) -> SearchStats {
        SearchStats { searches: self.searches, words: self.map.words, pages: self.map.loads }
    }

    /// Whether a block is in use, claimed, or freed by a transaction that is not yet proven.
    ///
    /// # Errors
    /// Those of the source, as for every operation here that may meet an unknown page.
    pub fn is_busy(&mut self, data: DataNumber) -> Result<bool> {
        self.map.is_busy(data.0)
    }

    /// Busy blocks of a run.
    pub fn busy_blocks(&mut self, run: Run) -> Result<u64> {
        let (from, to) = self.bounds(run)?;
        self.map.count(Layer::Busy, from, to)
    }

    /// Makes blocks busy, whoever had reserved them. Nothing changes if one of them is busy.
    ///
    /// # Errors
    /// `Corrupt`: a block is busy already or beyond the volume (the free map contradicts itself, or a caller does).
    pub fn claim(&mut self, run: Run) -> Result<()> {
        let (from, to) = self.bounds(run)?;
        if self.map.count(Layer::Busy, from, to)? != 0 {
            let text = format!("data blocks {from} to {} are claimed twice", to - 1);
            return Err(Error::new(Code::Corrupt, text));
        }
        self.take_from_growth_windows(from, to)?;
        self.map.change(Layer::Busy, from, to, true)?;
        self.area.count(&self.window, run, true);
        Ok(())
    }

    /// Makes busy blocks available at once: for claims that came to nothing.
    ///
    /// # Errors
    /// `Corrupt`: a block is not busy or beyond the volume.
    pub fn release(&mut self, run: Run) -> Result<()> {
        let (from, to) = self.bounds(run)?;
        if self.map.count(Layer::Busy, from, to)? != run.len {
            let text = format!("data blocks {from} to {} are freed twice", to - 1);
            return Err(Error::new(Code::Corrupt, text));
        }
        self.map.change(Layer::Busy, from, to, false)?;
        self.area.count(&self.window, run, false);
        self.raise(from, to)
    }

    /// Looks whether blocks can be freed, and brings to memory what [`Allocator::defer_free`] of them rests
    /// on, before the free map's pages show the change: no page is loaded later that calls them free.
    ///
    /// # Errors
    /// `Corrupt`: a block is not busy or beyond the volume.
    pub fn prepare_free(&mut self, run: Run) -> Result<()> {
        let (from, to) = self.bounds(run)?;
        if self.map.count(Layer::Busy, from, to)? != run.len {
            let text = format!("data blocks {from} to {} are freed twice", to - 1);
            return Err(Error::new(Code::Corrupt, text));
        }
        Ok(())
    }

    /// Frees blocks that [`Allocator::prepare_free`] has seen, by transaction `txn`: they stay busy until it
    /// is proven.
    pub fn defer_free(&mut self, txn: u64, run: Run) {
        self.deferred.entry(txn).or_default().push(run);
        self.deferred_blocks += run.len;
    }

    /// Transactions up to `txn` are proven: what they freed becomes available. Returns its blocks.
    ///
    /// # Errors
    /// `Corrupt`: a run was freed twice.
    pub fn prove(&mut self, txn: u64) -> Result<u64> {
        let proven = self.take_proven(txn);
        let blocks = proven.iter().map(|run| run.len).sum();
        self.release_proven(proven)?;
        Ok(blocks)
    }

    /// Takes what transactions up to `txn` freed, which are proven: it stays busy, and counted among those that
    /// wait, until [`Allocator::release_proven`]. Neighbouring runs come as one.
    pub fn take_proven(&mut self, txn: u64) -> Vec<Run> {
        let later = self.deferred.split_off(&(txn + 1));
        let mut runs: Vec<Run> =
            std::mem::replace(&mut self.deferred, later).into_values().flatten().collect();
        runs.sort_unstable();
        runs.dedup_by(|next, run| {
            let joins = run.end() == next.start.0;
            run.len += if joins { next.len } else { 0 };
            joins
        });
        runs
    }

    /// Makes available what [`Allocator::take_proven`] gave.
    ///
    /// # Errors
    /// `Corrupt`: a run was freed twice.
    pub fn release_proven(&mut self, proven: Vec<Run>) -> Result<()> {
        proven.into_iter().try_for_each(|run| {
            self.deferred_blocks -= run.len;
            self.release(run)
        })
    }

    /// Claims the first run of at least `min` available blocks of the window from `from` on, at most `max` of it.
    /// Growth windows are left alone.
    ///
    /// # Errors
    /// Those of the free map's source.
    pub fn claim_next(&mut self, zone: Range<u64>, min: u64, max: u64) -> Result<Option<Run>> {
        let end = zone.end.min(self.window.blocks());
        let mut at = zone.start;
        while at < end {
            let Some(start) = self.map.next(at, end)? else { break };
            let len = self.map.run(start, end.min(start + max.max(min)))?;
            if len >= min {
                let run = Run::new(DataNumber(start), len.min(max));
                self.claim(run)?;
                return Ok(Some(run));
            }
            at = start + len;
        }
        Ok(None)
    }

    /// Blocks that wait for the proof of the transaction that freed them.
    pub fn deferred_blocks(&self) -> u64 {
        self.deferred_blocks
    }

    /// First and last-plus-one data number of a run.
    fn bounds(&self, run: Run) -> Result<(u64, u64)> {
        match run.start.0.checked_add(run.len) {
            Some(end) if run.len > 0 && end <= self.window.data_blocks() => Ok((run.start.0, end)),
            _ => {
                let text = format!("{} blocks at data block {}: outside the volume", run.len, run.start.0);
                Err(Error::new(Code::Corrupt, text))
            }
        }
    }

    /// Hints after `from..to` became available. The area has none.
    fn raise(&mut self, from: u64, to: u64) -> Result<()> {
        let limit = self.window.blocks();
        if from < limit { self.map.raise(from, to.min(limit), limit) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
