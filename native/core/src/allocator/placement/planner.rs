//! The rules of placement, one function each. Each returns how many blocks it placed from the
//! first index on; 0 sends the caller to the next rule.

use std::collections::BTreeMap;

use super::{Burst, FileState, Growth, Piece, Place, Plan, Write};
use crate::allocator::{Allocator, Run};
use crate::base::{Code, DataNumber, Error, Result};
use crate::format::{Equation, Held, Window};

/// An overwrite of so many blocks in a row is worth a segment of its own.
pub const LONG_RUN: u64 = 64;

/// Longest piece: a segment's length has 32 bits, and every write of a plan is far below.
const PIECE_MAX: u64 = 1 << 31;

pub(super) struct Planner<'a> {
    pub allocator: &'a mut Allocator,
    pub window: Window,
    pub file: &'a FileState<'a>,
    /// The equation that the plan gives the file, in place of everything it had.
    pub fresh: Option<Equation>,
    pub pieces: Vec<Piece>,
    /// Segments that the extension region can still take.
    slots: u64,
    /// Where the file's long segments have their homes, once asked: first block and the one behind the last.
    segment_homes: Option<BTreeMap<u64, u64>>,
}

pub(super) fn plan(allocator: &mut Allocator, file: &FileState, bursts: &[Burst]) -> Result<Plan> {
    match attempt(allocator, file, bursts) {
        Err(error) if out_of_room(&error) && allocator.revoke_growth_window()? => {
            // Homes and shells inside growth windows were avoided: now nothing else is left.
            while allocator.revoke_growth_window()? {}
            attempt(allocator, file, bursts)
        }
        planned => planned,
    }
}

fn attempt(allocator: &mut Allocator, file: &FileState, bursts: &[Burst]) -> Result<Plan> {
    let overwrites = bursts.iter().filter(|burst| burst.write == Write::Overwrite);
    let overwritten: u64 = overwrites.map(|burst| burst.len).sum();
    let has_gravity = file.equations.anchor_of(file.holder.copy).is_some();
    if has_gravity && file.owned > 0 && overwritten == file.owned {
        match Planner::run(allocator, file, bursts, true) {
            // Too full for another copy of everything: the area and the shells may have room.
            Err(error) if out_of_room(&error) => {}
            planned => return planned,
        }
    }
    Planner::run(allocator, file, bursts, !has_gravity)
}

fn out_of_room(error: &Error) -> bool {
    matches!(error.code, Code::NoSpace | Code::ExtensionFull)
}

impl<'a> Planner<'a> {
    fn run(
        allocator: &'a mut Allocator,
        file: &'a FileState<'a>,
        bursts: &[Burst],
        seed: bool,
    ) -> Result<Plan> {
        let window = *allocator.window();
        let slots = file.segment_slots;
        let mut planner =
            Planner { allocator, window, file, fresh: None, pieces: Vec::new(), slots, segment_homes: None };
        let placed = planner.place_all(bursts, seed);
        let plan = Plan { pieces: planner.pieces, equation: planner.fresh };
        match placed {
            Ok(()) => Ok(plan),
            Err(error) => {
                plan.undo(planner.allocator)?;
                Err(error)
            }
        }
    }

    fn place_all(&mut self, bursts: &[Burst], seed: bool) -> Result<()> {
        if seed && !bursts.is_empty() {
            self.seed_gravity(bursts)?;
        }
        for burst in bursts {
            // Under a new equation nothing has a home yet that it could have left.
            let mut first = burst.first;
            while first < burst.end() {
                let len = (burst.end() - first).min(PIECE_MAX);
                first += match burst.write {
                    Write::Overwrite if self.fresh.is_none() => self.place_overwrite(first, len, true)?,
                    Write::Return if self.fresh.is_none() => self.place_overwrite(first, len, false)?,
                    _ => self.place_new(first, len)?,
                };
            }
        }
        self.reserve_behind()
    }

    fn place_new(&mut self, first: u64, len: u64) -> Result<u64> {
        let mut placed = self.continue_segment(first, len)?;
        if placed == 0 {
            placed = self.at_shell(first, len, 0)?;
        }
        if placed == 0 {
            let count = if self.strided(first) { self.blocked(first, len, 1)? } else { len };
            let wish = if first + len == self.file.size_blocks { self.growth_wish() } else { 0 };
            if wish > 0 {
                self.allocator.drop_growth_window(self.file.holder)?;
            }
            placed = self.new_segment(first, count, |planner| planner.search(count + wish, 1))?;
        }
        // Only a full extension region sends new data to shell 1.
        if placed == 0 && self.slots == 0 {
            placed = self.at_shell(first, len, 1)?;
        }
        self.some(placed)
    }

    fn place_overwrite(&mut self, first: u64, len: u64, area: bool) -> Result<u64> {
        if area && len >= LONG_RUN {
            let enough = LONG_RUN.min(len);
            if self.free_at_shell(first, len, 0, enough)? >= enough {
                return self.at_shell(first, len, 0);
            }
            // It may cover older segments: all its indices move.
            let zone = 0..self.window.blocks();
            let placed = self
                .new_segment(first, len, |planner| planner.allocator.find_available(len, LONG_RUN, zone))?;
            if placed > 0 {
                return Ok(placed);
            }
        }
        // Inside the file's own range shell 1 would take homes of its other blocks, for good.
        let shells = if self.far_is_own(first) { 1 } else { 2 };
        for k in 0..shells {
            let placed = self.at_shell(first, len, k)?;
            if placed > 0 {
                return Ok(placed);
            }
        }
        let count = self.blocked(first, len.min(LONG_RUN), shells)?;
        if area {
            if let Some(run) = self.allocator.find_in_area(count)? {
                return self.put(first, run, Place::Area);
            }
        }
        let placed = self.new_segment(first, count, |planner| planner.search_away_from_homes(count))?;
        self.some(placed)
    }

    /// The free blocks at shell `k` from `first` on.
    fn at_shell(&mut self, first: u64, len: u64, k: u8) -> Result<u64> {
        let Some((data, count)) = self.address(first, k, len) else { return Ok(0) };
        let free = self.allocator.free_run_at(data, count, Some(self.file.holder))?;
        match free {
            0 => Ok(0),
            _ => self.put(first, Run::new(data, free), if k == 0 { Place::Home } else { Place::Far }),
        }
    }

    /// Whether shell 1 of an index is where another index of the file has its home: by the anchor, or by a long
    /// segment. Sparse files are not looked at.
    fn far_is_own(&mut self, index: u64) -> bool {
        let Some((far, _)) = self.address(index, 1, 1) else { return false };
        let (equations, copy) = (self.file.equations, self.file.holder.copy);
        if let Some(anchor) = equations.anchor_of(copy)
            && (anchor.stride, anchor.scale) == (1, 0)
            && self.file.owned >= self.file.size_blocks / 2
        {
            let phi = self.window.phi(0);
            let there = (far.0 + phi - anchor.gravity.0 % phi) % phi;
            let held = equations.held(there, copy);
            if there < self.file.size_blocks && held.is_some_and(|held| !held.segment) {
                return true;
            }
        }
        let homes = self.segment_homes.get_or_insert_with(|| {
            let long = equations.segments.iter(copy).filter(|segment| u64::from(segment.len) >= LONG_RUN);
            long.map(|segment| (segment.gravity.0, segment.gravity.0 + u64::from(segment.len))).collect()
        });
        homes.range(..=far.0).next_back().is_some_and(|(_, end)| far.0 < *end)
    }

    /// How many indices from `first` on are free at shell `k`; looks no farther than `enough`.
    fn free_at_shell(&mut self, first: u64, len: u64, k: u8, enough: u64) -> Result<u64> {
        let mut found = 0;
        while found < enough.min(len) {
            let Some((data, count)) = self.address(first + found, k, len - found) else { break };
            let free = self.allocator.free_run_at(data, count, Some(self.file.holder))?;
            found += free;
            if free < count {
                break;
            }
        }
        Ok(found)
    }

    /// How many indices from `first` on (itself counted) are free at none of the first `shells` shells.
    fn blocked(&mut self, first: u64, len: u64, shells: u8) -> Result<u64> {
        for i in 1..len {
            for k in 0..shells {
                if self.free_at_shell(first + i, 1, k, 1)? > 0 {
                    return Ok(i);
                }
            }
        }
        Ok(len)
    }

    /// The blocks behind the segment that holds the index before `first`.
    fn continue_segment(&mut self, first: u64, len: u64) -> Result<u64> {
        if self.held(first).is_some_and(|held| held.segment) {
            return Ok(0);
        }
        let Some(data) = self.behind_segment(first) else { return Ok(0) };
        match self.allocator.free_run_at(data, len, Some(self.file.holder))? {
            0 => Ok(0),
            free => self.put(first, Run::new(data, free), Place::Segment),
        }
    }

    /// Where the next block would continue the segment of the index before `first`.
    fn behind_segment(&self, first: u64) -> Option<DataNumber> {
        let last = match self.pieces.last() {
            Some(piece) if piece.end() == first => {
                (piece.place == Place::Segment).then_some(piece.run().end())?
            }
            _ => {
                let held = self.held(first.checked_sub(1)?).filter(|held| held.segment)?;
                self.window.address(held.equation, held.n, 0, 0).0 + 1
            }
        };
        Some(DataNumber(last % self.window.blocks()))
    }

    /// A segment for up to `len` indices where `search` finds room.
    fn new_segment(
        &mut self,
        first: u64,
        len: u64,
        search: impl FnOnce(&mut Self) -> Result<Option<Run>>,
    ) -> Result<u64> {
        // In the middle of a segment it leaves two parts of that one.
        let cost = if self.held(first).is_some_and(|held| held.segment) { 2 } else { 1 };
        if self.slots < cost {
            self.slots = 0;
            return Ok(0);
        }
        let Some(run) = search(self)? else { return Ok(0) };
        self.slots -= cost;
        self.put(first, Run::new(run.start, run.len.min(len)), Place::Segment)
    }

    /// First-fit in the window; copy 1 prefers the half where copy 0 does not begin.
    pub fn search(&mut self, want: u64, min: u64) -> Result<Option<Run>> {
        let blocks = self.window.blocks();
        if let (1, Some(other)) = (self.file.holder.copy, self.file.equations.anchor) {
            let half = blocks / 2;
            let zone = if other.gravity.0 < half { half..blocks } else { 0..half };
            let found = self.allocator.find_available(want, min, zone)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        self.allocator.find_run(want, min, 0..blocks)
    }

    /// Room for displaced overwrites: long runs first, for short ones are homes that other files
    /// have left for a while.
    fn search_away_from_homes(&mut self, count: u64) -> Result<Option<Run>> {
        let zone = 0..self.window.blocks();
        match self.allocator.find_available(count.max(LONG_RUN), LONG_RUN, zone)? {
            Some(run) => Ok(Some(run)),
            None => self.search(count, 1),
        }
    }

    /// Claims a run for the indices from `first` on.
    fn put(&mut self, first: u64, run: Run, place: Place) -> Result<u64> {
        self.allocator.claim(run)?;
        match self.pieces.last_mut() {
            Some(last)
                if last.place == place
                    && last.end() == first
                    && last.run().end() == run.start.0
                    && last.len + run.len <= PIECE_MAX =>
            {
                last.len += run.len;
            }
            _ => self.pieces.push(Piece { first, len: run.len, data: run.start, place }),
        }
        Ok(run.len)
    }

    fn some(&self, placed: u64) -> Result<u64> {
        match placed {
            0 if self.slots == 0 => Err(Error::from(Code::ExtensionFull)),
            0 => Err(Error::from(Code::NoSpace)),
            _ => Ok(placed),
        }
    }

    /// The equation that holds for an index after what the plan has decided so far.
    pub fn held(&self, index: u64) -> Option<Held> {
        match self.fresh {
            Some(equation) => Some(Held { equation, n: index, until: u64::MAX, segment: false }),
            None => self.file.equations.held(index, self.file.holder.copy),
        }
    }

    /// Data block of an index at shell `k`, and how many indices lie behind each other there.
    pub fn address(&self, index: u64, k: u8, max: u64) -> Option<(DataNumber, u64)> {
        let held = self.held(index)?;
        let hash = self.file.equations.seed_hash;
        let data = self.window.address(held.equation, held.n, k, hash);
        let count = self.window.contiguous(held.equation, held.n, k, hash);
        Some((data, count.min(held.until - index).min(max)))
    }

    fn strided(&self, index: u64) -> bool {
        self.held(index).is_some_and(|held| held.equation.stride != 1)
    }

    /// Blocks to reserve behind the end of a growing file.
    pub fn growth_wish(&self) -> u64 {
        const MIN: u64 = 2048; // 8 MiB
        const MAX: u64 = 16_384; // 64 MiB
        let size = self.file.size_blocks;
        let wish = match self.file.growth {
            Growth::None => 0,
            Growth::Directory if size < MIN => size,
            Growth::File | Growth::Directory => size.clamp(MIN, MAX),
        };
        // A small volume has other uses for its blocks.
        wish.min(self.window.blocks() / 32)
    }

    /// Keeps the blocks behind the file's last one for its next burst.
    fn reserve_behind(&mut self) -> Result<()> {
        let (holder, wish) = (self.file.holder, self.growth_wish());
        if wish == 0 {
            return Ok(());
        }
        let Some(tail) = self.pieces.iter().rev().find(|piece| piece.end() == self.file.size_blocks) else {
            return Ok(());
        };
        let in_order = match tail.place {
            Place::Home => self.held(tail.first).is_some_and(|h| h.equation.stride == 1),
            Place::Segment => true,
            Place::Far | Place::Area => false,
        };
        if !in_order {
            return Ok(());
        }
        let start = DataNumber(tail.run().end());
        let own = self.allocator.growth_window(holder);
        if own.is_some_and(|own| own.start == start && own.len >= wish / 2) {
            return Ok(());
        }
        match self.allocator.free_run_at(start, wish, Some(holder))? {
            0 => self.allocator.drop_growth_window(holder),
            free => {
                self.allocator.drop_growth_window(holder)?;
                self.allocator.reserve(holder, Run::new(start, free))
            }
        }
    }
}
