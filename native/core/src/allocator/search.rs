//! Searching the window for a run of available blocks: first-fit, bounded, then the largest known.

use std::ops::Range;

use super::map::UNKNOWN;
use super::{Allocator, Run};
use crate::base::{DataNumber, Result};
use crate::format::layout::GROUP_BLOCKS;

/// Bitmap words (1 GiB of blocks) after which a search is content with half of what it wants.
const WORDS_CONTENT: u64 = 4096;
/// Bitmap words (16 GiB of blocks) after which it takes the largest run known. Only a volume just
/// mounted, whose hints are still unknown, costs so much.
const WORDS_MAX: u64 = 65_536;
/// Groups looked at for the largest known run.
const CANDIDATES_MAX: u32 = 16;

impl Allocator {
    /// The first run of `want` blocks in a zone of the window; if there is none, or the search
    /// grows long, the largest run known with at least `min`. Not claimed. GrowthWindows are
    /// avoided, and revoked one by one if nothing else has `min`.
    ///
    /// `None`: no run of `min` blocks in the zone.
    ///
    /// # Errors
    /// Those of the free map's source.
    pub fn find_run(&mut self, want: u64, min: u64, zone: Range<u64>) -> Result<Option<Run>> {
        loop {
            let found = self.find_available(want, min, zone.clone())?;
            if found.is_some() || !self.revoke_growth_window()? {
                return Ok(found);
            }
        }
    }

    /// As [`Allocator::find_run`], but leaves every growth window alone.
    pub fn find_available(&mut self, want: u64, min: u64, zone: Range<u64>) -> Result<Option<Run>> {
        let zone = zone.start..zone.end.min(self.window.blocks());
        let (want, min) = (want.max(1), min.clamp(1, want.max(1)));
        if zone.is_empty() {
            return Ok(None);
        }
        self.searches += 1;
        let start = self.map.words;
        let mut best = Run::new(DataNumber(0), 0);
        let long = |words: u64, best: Run| {
            let seen = words - start;
            best.len > 0 && (seen >= WORDS_MAX || seen >= WORDS_CONTENT && 2 * best.len >= want)
        };
        if self.first_fit(want, &zone, long, &mut best)? || self.largest(want, &zone, long, &mut best)? {
            return Ok(Some(best));
        }
        if best.len < min {
            // Not bounded, but paid once: each group it refuses gets an exact hint.
            self.first_fit(min, &zone, |_, _| false, &mut best)?;
        }
        Ok((best.len >= min).then_some(best))
    }

    /// The first available block of the window; growth windows are revoked if nothing else is left.
    pub fn find_one(&mut self) -> Result<Option<DataNumber>> {
        let zone = 0..self.window.blocks();
        Ok(self.find_run(1, 1, zone)?.map(|run| run.start))
    }

    /// Looks at groups in ascending order; `true`: `best` is the first run of `want` blocks.
    /// Ends early when `long(words, best)` says so.
    fn first_fit(
        &mut self,
        want: u64,
        zone: &Range<u64>,
        long: impl Fn(u64, Run) -> bool,
        best: &mut Run,
    ) -> Result<bool> {
        let least = u16::try_from(want).unwrap_or(UNKNOWN);
        let (mut group, end) = groups(zone);
        while let Some(found) = self.map.hinted(group, end, least) {
            if self.scan(found, want, zone, best)? {
                return Ok(true);
            }
            if long(self.map.words, *best) {
                return Ok(false);
            }
            group = found + 1;
        }
        Ok(false)
    }

    /// Looks at the groups with the highest hints; `true`: `best` has `want` blocks.
    fn largest(
        &mut self,
        want: u64,
        zone: &Range<u64>,
        long: impl Fn(u64, Run) -> bool,
        best: &mut Run,
    ) -> Result<bool> {
        let (group, end) = groups(zone);
        for _ in 0..CANDIDATES_MAX {
            let Some((promising, hint)) = self.map.most_promising(group, end) else { break };
            if u64::from(hint) <= best.len {
                break;
            }
            if self.scan(promising, want, zone, best)? {
                return Ok(true);
            }
            // Unchanged: the zone's border cuts the run, and no look will change that.
            if long(self.map.words, *best) || self.map.hint(promising) == hint {
                break;
            }
        }
        Ok(false)
    }

    /// Looks at the runs that start in a group. `true`: one has `want` blocks, `best` is the first
    /// such. Otherwise `best` is replaced by a longer one, and the group's hint becomes exact.
    fn scan(&mut self, group: u64, want: u64, zone: &Range<u64>, best: &mut Run) -> Result<bool> {
        let first = group * GROUP_BLOCKS;
        let (from, to) = (zone.start.max(first), zone.end.min(first + GROUP_BLOCKS));
        let mut longest = 0;
        let mut exact = from == first && (to == first + GROUP_BLOCKS || to == self.window.blocks());
        let mut at = from;
        while let Some(start) = self.map.next(at, to)? {
            let len = self.map.run(start, zone.end.min(start + want))?;
            if len > best.len {
                *best = Run::new(DataNumber(start), len);
            }
            if len == want {
                return Ok(true);
            }
            longest = longest.max(len);
            at = start + len;
            exact &= at < zone.end || zone.end == self.window.blocks();
            if at >= to {
                break;
            }
        }
        if exact {
            self.map.set_hint(group, u16::try_from(longest).unwrap_or(UNKNOWN));
        }
        Ok(false)
    }
}

/// The groups that a zone touches.
fn groups(zone: &Range<u64>) -> (u64, u64) {
    (zone.start / GROUP_BLOCKS, zone.end.div_ceil(GROUP_BLOCKS))
}
