//! fallocate: preallocation, punching holes, zeroing ranges.

use super::write::{SIZE_MAX, clear_behind, refuse_appending, refuse_protected, refuse_truncating};
use crate::allocator::placement::{Burst, Growth, Write};
use crate::base::{BLOCK_SIZE, BlockBuf, Code, Result, now_ns};
use crate::format::{Kind, layout};
use crate::volume::Volume;
use crate::volume::inode::{Inode, InodeState};
use crate::volume::space::Purpose;
use crate::volume::writeback::runs_of;
use std::sync::Arc;

const BLOCK: u64 = BLOCK_SIZE as u64;
/// FALLOC_FL_* of linux/falloc.h.
const KEEP_SIZE: u32 = 1;
const PUNCH_HOLE: u32 = 2;
const ZERO_RANGE: u32 = 16;
/// Blocks preallocated in one step, so that a transaction stays small.
const STEP: u64 = 1 << 15;

impl Volume {
    /// `mode`: 0, KEEP_SIZE, PUNCH_HOLE | KEEP_SIZE, ZERO_RANGE, ZERO_RANGE | KEEP_SIZE.
    pub fn fallocate(&self, inode: &Arc<Inode>, mode: u32, offset: u64, length: u64) -> Result<()> {
        if inode.kind != Kind::Regular || length == 0 {
            return Err(Code::InvalidArgument.into());
        }
        let end = offset.checked_add(length).filter(|end| *end <= SIZE_MAX).ok_or(Code::FileTooLarge)?;
        self.finish_truncation(inode)?;
        match mode {
            0 | KEEP_SIZE => self.preallocate(inode, offset, end, mode == KEEP_SIZE),
            m if m == PUNCH_HOLE | KEEP_SIZE => self.punch(inode, offset, end),
            m if m & !KEEP_SIZE == ZERO_RANGE => {
                {
                    // What the range lacks must be there before its bytes go.
                    let state = inode.state.read();
                    refuse_appending(&state)?;
                    self.require(inode, &state, offset / BLOCK, end.div_ceil(BLOCK))?;
                }
                self.punch(inode, offset, end)?;
                self.preallocate(inode, offset, end, m & KEEP_SIZE != 0)
            }
            _ => Err(Code::NotSupported.into()),
        }
    }

    /// Zeroes the range and frees its whole blocks, a slice per transaction.
    fn punch(&self, inode: &Arc<Inode>, offset: u64, end: u64) -> Result<()> {
        loop {
            self.throttle()?;
            let _inside = self.enter()?;
            let mut state = inode.state.write();
            let state = &mut *state;
            refuse_protected(state, 0)?;
            refuse_appending(state)?;
            refuse_truncating(state)?;
            // Blocks preallocated behind the end are punched too; only bytes before it need zeroing.
            let (first, last) = (offset.div_ceil(BLOCK), end / BLOCK);
            self.zero_edges(inode, state, offset, end.min(state.size))?;
            let whole_tail = end >= state.size && state.size > first * BLOCK;
            let last = if whole_tail { last.max(state.size_blocks()) } else { last };
            // The anchor's content counts until it is placed: the zeros over it stay delayed.
            let first = if state.is_inline() { first.max(1) } else { first };
            let mut done = true;
            if last > first && (state.size_blocks() > first || state.is_sparse()) {
                self.become_sparse(inode, state)?;
                let delayed: Vec<u64> = state.dirty.range(first..last).map(|(index, _)| *index).collect();
                for index in delayed {
                    self.drop_delayed(state, index);
                }
                let flight: Vec<u64> = state.in_flight.range(first..last).map(|(index, _)| *index).collect();
                for index in flight {
                    state.in_flight.remove(&index);
                }
                if state.is_sparse() {
                    done = self.free_sparse(inode, state, first, last)?;
                }
            }
            self.advance_mass(state);
            let now = now_ns();
            state.slot.anchor.mod_clock = now;
            state.slot.attributes.ctime = now;
            self.mark(inode, state);
            if done {
                return Ok(());
            }
        }
    }

    /// Zeroes the parts of the range that share a block with bytes outside it.
    fn zero_edges(&self, inode: &Inode, state: &mut InodeState, offset: u64, end: u64) -> Result<()> {
        if offset >= end {
            return Ok(());
        }
        for index in [offset / BLOCK, (end - 1) / BLOCK] {
            let from = offset.max(index * BLOCK);
            let to = end.min(index * BLOCK + BLOCK);
            let whole = to - from == BLOCK || to == state.size && from == index * BLOCK;
            if whole && !state.is_inline() {
                continue;
            }
            let inside = (from % BLOCK) as usize..(from % BLOCK) as usize + (to - from) as usize;
            if let Some(delayed) = state.dirty.get_mut(&index) {
                Arc::make_mut(&mut delayed.block)[inside].fill(0);
                continue;
            }
            let known = state.in_memory(index).is_some();
            if !known && !state.is_inline() && !self.owns(inode, state, index)? {
                continue;
            }
            let mut block: Arc<BlockBuf> = self.read_block(inode, state, index)?;
            Arc::make_mut(&mut block)[inside].fill(0);
            clear_behind(&mut block, index, state.size);
            let new = state.is_inline();
            self.space.reserve(u64::from(new), Purpose::User)?;
            self.put_delayed(state, index, block, new);
        }
        Ok(())
    }

    /// Gives every hole of the range a block that reads as zeros.
    fn preallocate(&self, inode: &Arc<Inode>, offset: u64, end: u64, keep_size: bool) -> Result<()> {
        let (first, last) = (offset / BLOCK, end.div_ceil(BLOCK));
        let mut at = first;
        loop {
            self.throttle()?;
            let _inside = self.enter()?;
            let mut state = inode.state.write();
            let state = &mut *state;
            refuse_protected(state, state.size)?;
            refuse_truncating(state)?;
            if !keep_size && let Some((index, block)) = self.tail_to_clear(inode, state, end)? {
                // Bytes behind the old end must be zeros on the disk before the size covers them.
                self.put_delayed(state, index, block, false);
                self.mark(inode, state);
                return Err(Code::Busy.into());
            }
            if at == first {
                // All the space before the first change, so that ENOSPC leaves the file as it was.
                self.require(inode, state, first, last)?;
            }
            let step = (at + STEP).min(last);
            self.fill_holes(inode, state, at, step, if keep_size { None } else { Some(end) })?;
            at = step;
            if at >= last && !keep_size && end > state.size {
                state.size = end;
                self.advance_mass(state);
            }
            state.slot.attributes.ctime = now_ns();
            self.mark(inode, state);
            if at >= last {
                return Ok(());
            }
        }
    }

    /// Error: NoSpace, if the holes of the range are more than what is free.
    fn require(&self, inode: &Inode, state: &InodeState, first: u64, last: u64) -> Result<()> {
        let mut holes = 0;
        let mut index = first;
        while index < last {
            let (exists, count) = self.exists_run(inode, state, index, last - index)?;
            holes += if exists { 0 } else { count };
            index += count;
        }
        self.space.reserve(holes, Purpose::User)?;
        self.space.release(holes);
        Ok(())
    }

    /// Whether a block exists at an index, delayed ones included, and for how many indices that holds.
    fn exists_run(&self, inode: &Inode, state: &InodeState, index: u64, max: u64) -> Result<(bool, u64)> {
        if state.in_memory(index).is_some() {
            return Ok((true, 1));
        }
        let max = state.next_in_memory(index).map_or(max, |next| max.min(next - index));
        if state.is_sparse() {
            return self.presence_run(inode, state, index, max);
        }
        let placed = if state.is_inline() { 0 } else { state.placed_blocks() };
        Ok(if index < placed { (true, max.min(placed - index)) } else { (false, max) })
    }

    fn fill_holes(
        &self,
        inode: &Arc<Inode>,
        state: &mut InodeState,
        from: u64,
        to: u64,
        end: Option<u64>,
    ) -> Result<()> {
        // Preallocated blocks stand beside delayed ones: only presence can say which exist.
        let needs_presence = end.is_none() && to > state.size_blocks()
            || !state.dirty.is_empty()
            || from > state.placed_blocks()
            || state.is_inline();
        if state.is_inline() {
            // Its content becomes a delayed block: the commit that Busy asks for places it.
            self.become_sparse(inode, state)?;
            self.delay_inline(inode, state)?;
            self.mark(inode, state);
            return Err(Code::Busy.into());
        }
        if needs_presence {
            self.become_sparse(inode, state)?;
        }
        let mut holes = Vec::new();
        let mut index = from;
        while index < to {
            let (exists, count) = self.exists_run(inode, state, index, to - index)?;
            if !exists {
                holes.extend(index..index + count);
            }
            index += count;
        }
        let runs = runs_of(holes.into_iter());
        let count: u64 = runs.iter().map(|(_, count)| count).sum();
        if count == 0 {
            return Ok(());
        }
        if state.is_sparse() {
            for (first, count) in &runs {
                self.load_nodes(inode, state, *first, *count)?;
            }
        }
        let claim = self.take_credits(count)?;
        if let Err(error) = self.space.reserve(count, Purpose::User) {
            self.return_credits(claim)?;
            return Err(error);
        }
        let bursts: Vec<Burst> =
            runs.iter().map(|(first, len)| Burst { first: *first, len: *len, write: Write::New }).collect();
        let mut held = Vec::new();
        let plan = match self.plan_file(inode, state, 0, &bursts, Growth::None, &mut held) {
            Ok(plan) => plan,
            Err(error) => {
                self.space.release(count);
                self.return_credits(claim)?;
                // Freed blocks may still wait for their proof: a commit brings them.
                let waiting = self.alloc.lock().deferred_blocks() > 0;
                return Err(if error.code == Code::NoSpace && waiting { Code::Busy.into() } else { error });
            }
        };
        for piece in &plan.pieces {
            let like = self.descriptor(inode, piece.first, layout::DESCRIPTOR_UNWRITTEN as u16, 0);
            self.table.set_run(piece.data.0, &like, piece.len, &[])?;
        }
        if plan.uses_far() {
            state.slot.set_kmax(1);
        }
        self.space.placed(count);
        self.return_credits(claim)?;
        state.slot.attributes.blocks += count;
        if state.is_sparse() {
            for (first, count) in runs {
                self.set_present(inode, state, first, count)?;
            }
            self.release_nodes(state);
        } else {
            // A dense file has a block below its size everywhere: the size follows the blocks.
            let reached = (to * BLOCK).min(end.unwrap_or(0));
            state.slot.anchor.mass = state.slot.anchor.mass.max(reached);
            state.size = state.size.max(reached);
        }
        Ok(())
    }
}
