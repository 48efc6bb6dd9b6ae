//! Writing files: blocks wait in memory until the next placement (delayed allocation).
//!
//! The slot's mass counts only what is placed, so that a commit in between never shows bytes
//! that were not written. What a write needs later is reserved when it is answered.

use super::free::EDGES;
use super::guards;
use crate::base::{BLOCK_SIZE, BlockBuf, Code, Result, now_ns};
use crate::format::{layout, slot};
use crate::transaction::Transaction;
use crate::volume::Volume;
use crate::volume::inode::{Inode, Locked, View};
use crate::volume::space::Purpose;
use crate::volume::writeback::clear_behind;
use std::ops::Range;
use std::sync::Arc;

const BLOCK: u64 = BLOCK_SIZE as u64;
/// Largest size of a file: 2^47 blocks.
pub const SIZE_MAX: u64 = layout::FILE_BLOCKS_MAX * BLOCK;

/// Blocks that writing these bytes may delay, at most.
fn delays(data: &[u8]) -> u64 {
    data.len() as u64 / BLOCK + EDGES
}

impl Volume {
    /// Takes all of `data` at `offset` (`None`: at the end, atomically) or changes nothing. Returns
    /// the offset.
    pub fn write(
        &self,
        inode: &Arc<Inode>,
        offset: Option<u64>,
        data: &[u8],
        kill_suidgid: bool,
    ) -> Result<u64> {
        self.change_content(inode, delays(data), |tx, file| {
            let offset = offset.unwrap_or(file.size);
            self.may_write(file, offset, data)?;
            if data.is_empty() {
                return Ok(offset);
            }
            let capability = self.plan_drop_capability(tx, file.view())?;
            self.write_locked(tx, file, offset, data)?;
            if let Some(change) = capability {
                self.change_extension(tx, file, change);
            }
            if kill_suidgid {
                slot::kill_suidgid(&mut file.slot.anchor.permissions);
            }
            Ok(offset)
        })
    }

    /// As [`Volume::write`], of pages that the kernel kept: the file keeps its privileges. They went when the
    /// pages were filled by a write; and a program that was stored through a mapping may have got them since.
    pub fn write_back(&self, inode: &Arc<Inode>, offset: u64, data: &[u8]) -> Result<()> {
        self.change_content(inode, delays(data), |tx, file| {
            if !self.appends_pages(file, offset, data)? {
                self.may_write(file, offset, data)?;
            }
            if data.is_empty() { Ok(()) } else { self.write_locked(tx, file, offset, data) }
        })
    }

    /// Whether pages of an append-only file hold nothing but its own bytes and what was appended: the kernel hands
    /// over whole pages, and later ones may come before earlier ones.
    fn appends_pages(&self, file: &mut Locked<'_>, offset: u64, data: &[u8]) -> Result<bool> {
        if guards::rewritable(file).is_ok() || guards::mutable(file).is_err() {
            return Ok(false);
        }
        let (end, size) = (offset.saturating_add(data.len() as u64), file.size);
        let skipped = file.skipped.clone();
        // Refused before a block is read.
        let fills = skipped.iter().any(|range| offset < range.end && end > range.start);
        let is_taken = end <= SIZE_MAX && (end > size || fills) && {
            let is_known = |at: u64| !skipped.iter().any(|range| range.contains(&at));
            self.holds(file.view(), offset..end.min(size), data, is_known)?
        };
        let jumped = if is_taken && offset > size { size..offset } else { 0..0 };
        let taken = if is_taken { offset..end } else { 0..0 };
        let rest = skipped.into_iter().chain([jumped]);
        let rest = rest.flat_map(|at| [at.start..at.end.min(taken.start), at.start.max(taken.end)..at.end]);
        file.skipped = rest.filter(|range| !range.is_empty()).collect();
        Ok(is_taken)
    }

    /// Whether the file has these bytes in the range, wherever one is known.
    fn holds(
        &self,
        file: View<'_>,
        range: Range<u64>,
        data: &[u8],
        is_known: impl Fn(u64) -> bool,
    ) -> Result<bool> {
        for index in range.start / BLOCK..range.end.div_ceil(BLOCK) {
            let block = self.read_block(file, index)?;
            let mut own = (index * BLOCK).max(range.start)..(index * BLOCK + BLOCK).min(range.end);
            let is_same = |at: u64| block[(at % BLOCK) as usize] == data[(at - range.start) as usize];
            if !own.all(|at| !is_known(at) || is_same(at)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn may_write(&self, file: &Locked<'_>, offset: u64, data: &[u8]) -> Result<()> {
        guards::may_write_at(file, offset)?;
        match offset.checked_add(data.len() as u64) {
            Some(end) if end <= SIZE_MAX => Ok(()),
            _ => Err(Code::FileTooLarge.into()),
        }
    }

    fn write_locked(
        &self,
        tx: &Transaction<'_>,
        file: &mut Locked<'_>,
        offset: u64,
        data: &[u8],
    ) -> Result<()> {
        self.delay(tx, file, offset, data)?;
        file.size = file.size.max(offset + data.len() as u64);
        let now = now_ns();
        file.slot.anchor.mod_clock = now;
        file.slot.attributes.ctime = now;
        self.mark(tx, file);
        Ok(())
    }

    /// Puts bytes into delayed blocks. All that can fail comes before the first change.
    fn delay(&self, tx: &Transaction<'_>, file: &mut Locked<'_>, offset: u64, data: &[u8]) -> Result<()> {
        let end = offset + data.len() as u64;
        let (first, last) = (offset / BLOCK, (end - 1) / BLOCK);
        let gap = first > file.size_blocks();
        let mut loaded = self.load_edges(file.view(), offset, end)?;
        let tail = self.tail_to_clear(file.view(), end)?;
        let inline_head = file.is_inline() && first > 0 && file.in_memory(0).is_none();
        let head = if inline_head { Some(self.read_block(file.view(), 0)?) } else { None };

        let mut new = u64::from(inline_head);
        let mut owned = Vec::with_capacity((last - first + 1) as usize);
        for index in first..=last {
            let owns = self.mapping(file.view(), index, 1)?.exists();
            new += u64::from(!owns);
            owned.push(owns);
        }
        self.space.reserve(new, Purpose::User)?;
        let sparse = if gap { self.become_sparse(tx, file) } else { Ok(()) };
        let nodes = if new > 0 { self.reserve_nodes(file, first, last) } else { Ok(()) };
        if let Err(error) = sparse.and(nodes) {
            self.space.release(new);
            if file.new_delayed == 0 {
                self.release_nodes(file);
            }
            return Err(error);
        }

        if let Some(block) = head {
            self.put_delayed(file, 0, block, true);
        }
        if let Some((index, block)) = tail {
            self.put_delayed(file, index, block, false);
        }
        for index in first..=last {
            let from = (index * BLOCK).max(offset);
            let to = (index * BLOCK + BLOCK).min(end);
            let source = &data[(from - offset) as usize..(to - offset) as usize];
            let inside = (from % BLOCK) as usize;
            if let Some(delayed) = file.dirty.get_mut(&index) {
                Arc::make_mut(&mut delayed.block)[inside..inside + source.len()].copy_from_slice(source);
                continue;
            }
            let block = if source.len() == BLOCK_SIZE {
                Arc::new(BlockBuf::copy_of(source))
            } else {
                let mut base =
                    loaded.iter().position(|(i, _)| *i == index).map(|at| loaded.swap_remove(at).1);
                let mut base = base.take().unwrap_or_else(|| Arc::new(BlockBuf::zeroed()));
                Arc::make_mut(&mut base)[inside..inside + source.len()].copy_from_slice(source);
                base
            };
            self.put_delayed(file, index, block, !owned[(index - first) as usize]);
        }
        Ok(())
    }

    /// The present bytes of the blocks that the write covers only in part, zero behind the file's end.
    fn load_edges(&self, file: View<'_>, offset: u64, end: u64) -> Result<Vec<(u64, Arc<BlockBuf>)>> {
        let mut loaded = Vec::new();
        let (first, last) = (offset / BLOCK, (end - 1) / BLOCK);
        for (index, partial) in [(first, offset % BLOCK != 0), (last, end % BLOCK != 0)] {
            let starts_here = index == first && offset % BLOCK != 0 || index == last && partial;
            if !starts_here || file.dirty.contains_key(&index) || loaded.iter().any(|(i, _)| *i == index) {
                continue;
            }
            // A write that covers everything up to the end of the file needs nothing of the old block.
            let covers = offset <= index * BLOCK && end >= file.size.min(index * BLOCK + BLOCK);
            if covers || index >= file.size_blocks() {
                continue;
            }
            let mut block = self.read_block(file, index)?;
            clear_behind(&mut block, index, file.size);
            loaded.push((index, block));
        }
        Ok(loaded)
    }

    /// The block at the old end of a file that grows beyond it, if bytes behind the end would show.
    pub(super) fn tail_to_clear(&self, file: View<'_>, end: u64) -> Result<Option<(u64, Arc<BlockBuf>)>> {
        let index = file.size / BLOCK;
        let grows = end > file.size && file.size % BLOCK != 0;
        if !grows || file.dirty.contains_key(&index) || file.is_inline() {
            return Ok(None);
        }
        if !self.mapping(file, index, 1)?.exists() {
            return Ok(None);
        }
        let mut block = self.read_block(file, index)?;
        let dirty_tail = block[(file.size % BLOCK) as usize..].iter().any(|byte| *byte != 0);
        clear_behind(&mut block, index, file.size);
        Ok(dirty_tail.then_some((index, block)))
    }
}
