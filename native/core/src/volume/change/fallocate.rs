//! fallocate: preallocation, punching holes, zeroing ranges.

use super::free::EDGES;
use super::guards;
use super::write::SIZE_MAX;
use crate::allocator::placement::{Burst, Growth, Write};
use crate::base::{BLOCK_SIZE, BlockBuf, Code, Result, Stop, now_ns};
use crate::format::Kind;
use crate::presence::Edit;
use crate::transaction::Transaction;
use crate::volume::Volume;
use crate::volume::inode::{Inode, Locked, View, xattrs_of};
use crate::volume::read::Holds;
use crate::volume::space::Purpose;
use crate::volume::writeback::{Found, Wanted, clear_behind, runs_of};
use std::sync::Arc;

const BLOCK: u64 = BLOCK_SIZE as u64;
/// FALLOC_FL_* of linux/falloc.h.
const KEEP_SIZE: u32 = 1;
const PUNCH_HOLE: u32 = 2;
const ZERO_RANGE: u32 = 16;
/// Blocks preallocated in one step, so that a transaction stays small.
const STEP: u64 = 1 << 15;

/// A block at the border of a punched range, as it will be.
struct Edge {
    index: u64,
    block: Arc<BlockBuf>,
    /// It takes the place of the anchor's content.
    new: bool,
}

/// Each form moves the times as a write does, also where nothing was to do (`file_modified` of Linux).
fn modified(file: &mut Locked<'_>) {
    let now = now_ns();
    file.slot.anchor.mod_clock = now;
    file.slot.attributes.ctime = now;
}

impl Volume {
    /// `mode`: 0, KEEP_SIZE, PUNCH_HOLE | KEEP_SIZE, ZERO_RANGE, ZERO_RANGE | KEEP_SIZE.
    /// Interrupted: asked to stop between two steps; each leaves the file as a smaller range would.
    pub fn fallocate(
        &self,
        inode: &Arc<Inode>,
        mode: u32,
        offset: u64,
        length: u64,
        stop: &Stop,
    ) -> Result<()> {
        if inode.kind != Kind::Regular || length == 0 {
            return Err(Code::InvalidArgument.into());
        }
        let end = offset.checked_add(length).filter(|end| *end <= SIZE_MAX).ok_or(Code::FileTooLarge)?;
        match mode {
            0 | KEEP_SIZE => self.preallocate(inode, offset, end, mode == KEEP_SIZE, stop),
            m if m == PUNCH_HOLE | KEEP_SIZE => self.punch(inode, offset, end, stop),
            m if m & !KEEP_SIZE == ZERO_RANGE => {
                // What the range lacks must be there before its bytes go.
                self.change_content(inode, 0, |_, file| {
                    guards::rewritable(file)?;
                    self.require(file.view(), offset / BLOCK, end.div_ceil(BLOCK))
                })?;
                self.punch(inode, offset, end, stop)?;
                self.preallocate(inode, offset, end, m & KEEP_SIZE != 0, stop)
            }
            _ => Err(Code::NotSupported.into()),
        }
    }

    /// Zeroes the range and frees its whole blocks, a slice per transaction.
    fn punch(&self, inode: &Arc<Inode>, offset: u64, end: u64, stop: &Stop) -> Result<()> {
        while !self.change_content(inode, EDGES, |tx, file| self.punch_slice(tx, file, offset, end))? {
            stop.check()?;
        }
        Ok(())
    }

    /// Zeroes the range and frees a slice of its whole blocks; true: all of them.
    fn punch_slice(
        &self,
        tx: &Transaction<'_>,
        file: &mut Locked<'_>,
        offset: u64,
        end: u64,
    ) -> Result<bool> {
        guards::rewritable(file)?;
        // Blocks preallocated behind the end are punched too; only bytes before it need zeroing.
        let (first, last) = (offset.div_ceil(BLOCK), end / BLOCK);
        let size = file.size;
        // All that can fail comes first.
        let edges = self.zeroed_edges(file.view(), offset, end.min(size))?;
        let whole_tail = end >= size && size > first * BLOCK;
        let last = if whole_tail { last.max(file.size_blocks()) } else { last };
        // The anchor's content counts until it is placed: the zeros over it stay delayed.
        let first = if file.is_inline() { first.max(1) } else { first };
        let (mut found, mut done) = (Found::default(), true);
        let frees = last > first && (file.size_blocks() > first || file.is_sparse());
        if frees {
            self.become_sparse(tx, file)?;
            if file.is_sparse() {
                done = self.find_sparse(&mut found, file.view(), first, last)?;
            }
        }
        let rest = self.without_capability(file.view())?;
        let release = self.plan_release(tx, file.view(), found, &xattrs_of(rest.as_deref()))?;
        let new = edges.iter().any(|edge| edge.new);
        self.space.reserve(u64::from(new), Purpose::User)?;

        for Edge { index, block, new } in edges {
            match file.dirty.get_mut(&index) {
                // What is delayed already keeps its reservation.
                Some(delayed) => delayed.block = block,
                None => self.put_delayed(file, index, block, new),
            }
        }
        if frees {
            let delayed: Vec<u64> = file.dirty.range(first..last).map(|(index, _)| *index).collect();
            for index in delayed {
                self.drop_delayed(file, index);
            }
            let flight: Vec<u64> = file.in_flight.range(first..last).map(|(index, _)| *index).collect();
            for index in flight {
                file.in_flight.remove(&index);
            }
        }
        self.release(tx, file, release);
        self.advance_mass(file);
        modified(file);
        self.mark(tx, file);
        Ok(done)
    }

    /// The blocks that share the range with bytes outside it, with zeros inside it.
    fn zeroed_edges(&self, file: View<'_>, offset: u64, end: u64) -> Result<Vec<Edge>> {
        let mut edges: Vec<Edge> = Vec::new();
        if offset >= end {
            return Ok(edges);
        }
        for index in [offset / BLOCK, (end - 1) / BLOCK] {
            let from = offset.max(index * BLOCK);
            let to = end.min(index * BLOCK + BLOCK);
            let whole = to - from == BLOCK || to == file.size && from == index * BLOCK;
            if whole && !file.is_inline() || edges.iter().any(|edge| edge.index == index) {
                continue;
            }
            let mut block = match file.dirty.get(&index) {
                Some(delayed) => delayed.block.clone(),
                None if self.mapping(file, index, 1)?.holds == Holds::Hole => continue,
                None => self.read_block(file, index)?,
            };
            let inside = (from % BLOCK) as usize..(from % BLOCK) as usize + (to - from) as usize;
            Arc::make_mut(&mut block)[inside].fill(0);
            clear_behind(&mut block, index, file.size);
            let new = file.is_inline() && !file.dirty.contains_key(&index);
            edges.push(Edge { index, block, new });
        }
        Ok(edges)
    }

    /// Gives every hole of the range a block that reads as zeros, a step per transaction.
    fn preallocate(
        &self,
        inode: &Arc<Inode>,
        offset: u64,
        end: u64,
        keep_size: bool,
        stop: &Stop,
    ) -> Result<()> {
        let (first, last) = (offset / BLOCK, end.div_ceil(BLOCK));
        let mut at = first;
        while at < last {
            if at > first {
                stop.check()?;
            }
            at = self.change_content(inode, EDGES, |tx, file| {
                guards::may_write_at(file, file.size)?;
                if !keep_size && let Some((index, block)) = self.tail_to_clear(file.view(), end)? {
                    // Bytes behind the old end must be zeros on the disk before the size covers them.
                    self.put_delayed(file, index, block, false);
                    self.mark(tx, file);
                    return Err(Code::Busy.into());
                }
                if at == first {
                    // All the space before the first change, so that ENOSPC leaves the file as it was.
                    self.require(file.view(), first, last)?;
                }
                // Privileges go before what may fail, as in the kernel (file_modified).
                self.drop_capability(tx, file)?;
                let step = (at + STEP).min(last);
                let step = self.fill_holes(tx, file, at, step, if keep_size { None } else { Some(end) })?;
                if step >= last && !keep_size && end > file.size {
                    file.size = end;
                    self.advance_mass(file);
                }
                modified(file);
                self.mark(tx, file);
                Ok(step)
            })?;
        }
        Ok(())
    }

    /// Error: NoSpace, if the holes of the range are more than what is free.
    fn require(&self, file: View<'_>, first: u64, last: u64) -> Result<()> {
        let mut holes = 0;
        let mut index = first;
        while index < last {
            let mapping = self.mapping(file, index, last - index)?;
            holes += if mapping.exists() { 0 } else { mapping.count };
            index += mapping.count;
        }
        self.space.reserve(holes, Purpose::User)?;
        self.space.release(holes);
        Ok(())
    }

    /// Gives the holes of `from .. to` blocks, or of as much of it as the record has room for; returns where that
    /// ends. `end`: the file grows up to there, bytes.
    fn fill_holes(
        &self,
        tx: &Transaction<'_>,
        file: &mut Locked<'_>,
        from: u64,
        to: u64,
        end: Option<u64>,
    ) -> Result<u64> {
        // Preallocated blocks stand beside delayed ones: only presence can say which exist.
        let needs_presence = end.is_none() && to > file.size_blocks()
            || !file.dirty.is_empty()
            || from > file.placed_blocks()
            || file.is_inline();
        if file.is_inline() {
            // Its content becomes a delayed block: the commit that Busy asks for places it.
            self.become_sparse(tx, file)?;
            self.delay_inline(file)?;
            self.mark(tx, file);
            return Err(Code::Busy.into());
        }
        if needs_presence {
            self.become_sparse(tx, file)?;
        }
        let mut holes = Vec::new();
        let mut index = from;
        while index < to {
            let mapping = self.mapping(file.view(), index, to - index)?;
            if !mapping.exists() {
                holes.extend(index..index + mapping.count);
            }
            index += mapping.count;
        }
        let runs = runs_of(holes.iter().copied());
        let count = holes.len() as u64;
        if count == 0 {
            return Ok(to);
        }
        let mut presence = None;
        if file.is_sparse() {
            let mut edit = self.edit_presence(file.view())?;
            for (first, count) in &runs {
                self.will_exist(file.view(), &mut edit, *first, *count)?;
            }
            presence = Some(edit);
        }
        let credits = self.space.take_credits(count)?;
        if let Err(error) = self.space.reserve(count, Purpose::User) {
            self.space.return_credits(credits)?;
            return Err(error);
        }
        let bursts: Vec<Burst> =
            runs.iter().map(|(first, len)| Burst { first: *first, len: *len, write: Write::New }).collect();
        let mut held = Vec::new();
        let nodes = presence.as_ref().map_or(0, Edit::node_count) * self.log_of_meta();
        let log = if count > 1 { self.gate.room().saturating_sub(nodes) } else { u64::MAX };
        let wanted = Wanted { copy: 0, bursts: &bursts, growth: Growth::None, log };
        let plan = match self.plan_file(tx, file, &wanted, &mut held) {
            Ok(plan) => plan,
            Err(error) if error.code == Code::Busy && count > 1 => {
                self.space.release(count);
                self.space.return_credits(credits)?;
                return self.fill_holes(tx, file, from, holes[holes.len() / 2], end);
            }
            Err(error) => {
                self.space.release(count);
                self.space.return_credits(credits)?;
                // Freed blocks may still wait for their proof: a commit brings them.
                let waiting = self.blocks.free_waits_for_proof();
                return Err(if error.code == Code::NoSpace && waiting { Code::Busy.into() } else { error });
            }
        };
        for piece in &plan.pieces {
            let place = file.inode.unwritten_place(piece.first, 0);
            self.blocks.make_live(tx, piece.data, &place, piece.len, &[])?;
        }
        if plan.uses_far() {
            file.slot.set_kmax(1);
        }
        self.space.placed(count);
        self.space.return_credits(credits)?;
        file.slot.attributes.blocks += count;
        if let Some(edit) = presence {
            self.change_presence(tx, file, edit);
            self.release_nodes(file);
        } else {
            // A dense file has a block below its size everywhere: the size follows the blocks.
            let reached = (to * BLOCK).min(end.unwrap_or(0));
            file.slot.anchor.mass = file.slot.anchor.mass.max(reached);
            file.size = file.size.max(reached);
        }
        Ok(to)
    }
}
