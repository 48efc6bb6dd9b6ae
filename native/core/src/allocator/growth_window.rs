//! GrowthWindows for growing files: available blocks that other placements avoid until nothing
//! else is left. They live in memory only and count as free.

use std::collections::BTreeMap;

use super::map::Layer;
use super::{Allocator, Holder, Run};
use crate::base::{Code, DataNumber, Error, Result};

/// At most one growth window per holder; windows do not overlap and hold no busy block.
#[derive(Default)]
pub(super) struct GrowthWindows {
    by_holder: BTreeMap<Holder, Run>,
    by_start: BTreeMap<u64, Holder>,
}

impl GrowthWindows {
    fn insert(&mut self, holder: Holder, run: Run) {
        self.by_holder.insert(holder, run);
        self.by_start.insert(run.start.0, holder);
    }
    fn remove(&mut self, holder: Holder) -> Option<Run> {
        let run = self.by_holder.remove(&holder)?;
        self.by_start.remove(&run.start.0);
        Some(run)
    }
    /// The last growth window that begins before `end`.
    fn before(&self, end: u64) -> Option<(Holder, Run)> {
        let (_, holder) = self.by_start.range(..end).next_back()?;
        Some((*holder, self.by_holder[holder]))
    }
}

impl Allocator {
    /// Reserves available blocks of the window, in place of what the holder had reserved before.
    ///
    /// # Errors
    /// `Corrupt`: a block is busy, reserved by another, or outside the window. The old growth window is gone.
    pub fn reserve(&mut self, holder: Holder, run: Run) -> Result<()> {
        self.drop_growth_window(holder)?;
        let (from, to) = self.bounds(run)?;
        if to > self.window.blocks() || self.map.run(from, to)? < run.len {
            let text = format!("data blocks {from} to {} cannot be reserved", to - 1);
            return Err(Error::new(Code::Corrupt, text));
        }
        self.map.change(Layer::Reserved, from, to, true)?;
        self.growth_windows.insert(holder, run);
        Ok(())
    }

    /// What a holder has reserved and not yet used.
    pub fn growth_window(&self, holder: Holder) -> Option<Run> {
        self.growth_windows.by_holder.get(&holder).copied()
    }

    /// Gives a growth window back (the file was closed, deleted, truncated).
    pub fn drop_growth_window(&mut self, holder: Holder) -> Result<()> {
        let Some(run) = self.growth_windows.remove(holder) else { return Ok(()) };
        self.unreserve(run.start.0, run.end())
    }

    /// Gives the largest growth window back, the first of equals; `false`: there is none.
    pub fn revoke_growth_window(&mut self) -> Result<bool> {
        let runs = self.growth_windows.by_holder.iter();
        let largest =
            runs.max_by_key(|(_, run)| (run.len, std::cmp::Reverse(run.start))).map(|(&holder, _)| holder);
        match largest {
            Some(holder) => self.drop_growth_window(holder).map(|()| true),
            None => Ok(false),
        }
    }

    /// Blocks from `start` on that `holder` may take without a gap, at most `max`: available ones
    /// and its own growth window. Ends at the window's end.
    pub fn free_run_at(&mut self, start: DataNumber, max: u64, holder: Option<Holder>) -> Result<u64> {
        let end = self.window.blocks().min(start.0.saturating_add(max));
        let own = holder.and_then(|holder| self.growth_window(holder));
        let mut at = start.0;
        while at < end {
            at += self.map.run(at, end)?;
            match own {
                Some(own) if (own.start.0..own.end()).contains(&at) && at < end => at = own.end().min(end),
                _ => break,
            }
        }
        Ok(at.saturating_sub(start.0))
    }

    /// Blocks `from..to` become busy: what a growth window has behind them stays reserved if they are
    /// its head (the file grew into it), else what it has before them.
    pub(super) fn take_from_growth_windows(&mut self, from: u64, to: u64) -> Result<()> {
        while let Some((holder, run)) = self.growth_windows.before(to).filter(|(_, run)| run.end() > from) {
            self.growth_windows.remove(holder);
            let (start, end) = (run.start.0, run.end());
            let kept = if from <= start { (to.min(end), end) } else { (start, from) };
            self.map.change(Layer::Reserved, start, end, false)?;
            if kept.0 < kept.1 {
                self.map.change(Layer::Reserved, kept.0, kept.1, true)?;
                self.growth_windows.insert(holder, Run::new(DataNumber(kept.0), kept.1 - kept.0));
            }
            if from > start && end > to {
                self.raise(to, end)?;
            }
        }
        Ok(())
    }

    fn unreserve(&mut self, from: u64, to: u64) -> Result<()> {
        self.map.change(Layer::Reserved, from, to, false)?;
        self.raise(from, to)
    }
}
