//! Writing files: blocks wait in memory until the next placement (delayed allocation).
//!
//! The slot's mass counts only what is placed, so that a commit in between never shows bytes
//! that were not written. What a write needs later is promised when it is answered.

use crate::base::{BLOCK_SIZE, BlockBuf, Code, Result, now_ns};
use crate::format::{Kind, layout};
use crate::volume::Volume;
use crate::volume::inode::{Delayed, Inode, InodeState};
use crate::volume::space::Purpose;
use std::sync::Arc;
use std::sync::atomic::Ordering;

const BLOCK: u64 = BLOCK_SIZE as u64;
/// Largest size of a file: 2^47 blocks.
pub const SIZE_MAX: u64 = layout::FILE_BLOCKS_MAX * BLOCK;

impl Volume {
    /// Takes all of `data` at `offset` (`None`: at the end, atomically) or changes nothing. Returns
    /// the offset. Busy: commit and try again.
    pub fn write(
        &self,
        inode: &Arc<Inode>,
        offset: Option<u64>,
        data: &[u8],
        kill_suidgid: bool,
    ) -> Result<u64> {
        if inode.kind != Kind::Regular {
            return Err(Code::InvalidArgument.into());
        }
        self.finish_truncation(inode)?;
        let _inside = self.enter()?;
        let mut state = inode.state.write();
        let state = &mut *state;
        let offset = offset.unwrap_or(state.size);
        refuse_protected(state, offset)?;
        refuse_truncating(state)?;
        let end =
            offset.checked_add(data.len() as u64).filter(|end| *end <= SIZE_MAX).ok_or(Code::FileTooLarge)?;
        if data.is_empty() {
            return Ok(offset);
        }
        self.drop_capability(inode, state)?;
        self.delay(inode, state, offset, data)?;
        state.size = state.size.max(end);
        let anchor = &mut state.slot.anchor;
        if kill_suidgid {
            self::kill_suidgid(&mut anchor.permissions);
        }
        let now = now_ns();
        anchor.mod_clock = now;
        state.slot.attributes.ctime = now;
        self.mark(inode, state);
        Ok(offset)
    }

    /// Puts bytes into delayed blocks. All that can fail comes before the first change.
    fn delay(&self, inode: &Inode, state: &mut InodeState, offset: u64, data: &[u8]) -> Result<()> {
        let end = offset + data.len() as u64;
        let (first, last) = (offset / BLOCK, (end - 1) / BLOCK);
        let gap = first > state.size_blocks();
        let mut loaded = self.load_edges(inode, state, offset, end)?;
        let tail = self.tail_to_clear(inode, state, end)?;
        let inline_head = state.is_inline() && first > 0 && state.in_memory(0).is_none();
        let head = if inline_head { Some(self.read_block(inode, state, 0)?) } else { None };

        let mut new = u64::from(inline_head);
        let mut owned = Vec::with_capacity((last - first + 1) as usize);
        for index in first..=last {
            let known = state.in_memory(index).is_some();
            let owns = known || self.owns(inode, state, index)?;
            new += u64::from(!owns);
            owned.push(owns);
        }
        self.space.reserve(new, Purpose::User)?;
        let sparse = if gap { self.become_sparse(inode, state) } else { Ok(()) };
        let nodes = if new > 0 { self.reserve_nodes(inode, state, first, last) } else { Ok(()) };
        if let Err(error) = sparse.and(nodes) {
            self.space.release(new);
            if state.new_delayed == 0 {
                self.release_nodes(state);
            }
            return Err(error);
        }

        if let Some(block) = head {
            self.put_delayed(state, 0, block, true);
        }
        if let Some((index, block)) = tail {
            self.put_delayed(state, index, block, false);
        }
        for index in first..=last {
            let from = (index * BLOCK).max(offset);
            let to = (index * BLOCK + BLOCK).min(end);
            let source = &data[(from - offset) as usize..(to - offset) as usize];
            let inside = (from % BLOCK) as usize;
            if let Some(delayed) = state.dirty.get_mut(&index) {
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
            self.put_delayed(state, index, block, !owned[(index - first) as usize]);
        }
        Ok(())
    }

    /// The present bytes of the blocks that the write covers only in part, zero behind the file's end.
    fn load_edges(
        &self,
        inode: &Inode,
        state: &InodeState,
        offset: u64,
        end: u64,
    ) -> Result<Vec<(u64, Arc<BlockBuf>)>> {
        let mut loaded = Vec::new();
        let (first, last) = (offset / BLOCK, (end - 1) / BLOCK);
        for (index, partial) in [(first, offset % BLOCK != 0), (last, end % BLOCK != 0)] {
            let starts_here = index == first && offset % BLOCK != 0 || index == last && partial;
            if !starts_here || state.dirty.contains_key(&index) || loaded.iter().any(|(i, _)| *i == index) {
                continue;
            }
            // A write that covers everything up to the end of the file needs nothing of the old block.
            let covers = offset <= index * BLOCK && end >= state.size.min(index * BLOCK + BLOCK);
            if covers || index >= state.size_blocks() {
                continue;
            }
            let mut block = self.read_block(inode, state, index)?;
            clear_behind(&mut block, index, state.size);
            loaded.push((index, block));
        }
        Ok(loaded)
    }

    /// The block at the old end of a file that grows beyond it, if bytes behind the end would show.
    pub(in crate::volume) fn tail_to_clear(
        &self,
        inode: &Inode,
        state: &InodeState,
        end: u64,
    ) -> Result<Option<(u64, Arc<BlockBuf>)>> {
        let index = state.size / BLOCK;
        let grows = end > state.size && state.size % BLOCK != 0;
        if !grows || state.dirty.contains_key(&index) || state.is_inline() {
            return Ok(None);
        }
        if state.in_memory(index).is_none() && !self.owns(inode, state, index)? {
            return Ok(None);
        }
        let mut block = self.read_block(inode, state, index)?;
        let dirty_tail = block[(state.size % BLOCK) as usize..].iter().any(|byte| *byte != 0);
        clear_behind(&mut block, index, state.size);
        Ok(dirty_tail.then_some((index, block)))
    }

    pub(in crate::volume) fn put_delayed(
        &self,
        state: &mut InodeState,
        index: u64,
        block: Arc<BlockBuf>,
        new: bool,
    ) {
        if state.dirty.insert(index, Delayed { block, new }).is_none() {
            state.new_delayed += u64::from(new);
            self.dirty_blocks.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Drops a delayed block and gives its reservation back.
    pub(in crate::volume) fn drop_delayed(&self, state: &mut InodeState, index: u64) {
        if let Some(delayed) = state.dirty.remove(&index) {
            self.dirty_blocks.fetch_sub(1, Ordering::Relaxed);
            state.new_delayed -= u64::from(delayed.new);
            self.space.release(u64::from(delayed.new));
            if state.new_delayed == 0 {
                self.release_nodes(state);
            }
        }
    }

    /// Whether the file owns a placed block at an index.
    pub(in crate::volume) fn owns(&self, inode: &Inode, state: &InodeState, index: u64) -> Result<bool> {
        if state.is_sparse() {
            return Ok(self.presence_run(inode, state, index, 1)?.0);
        }
        Ok(!state.is_inline() && index < state.placed_blocks())
    }
}

/// The refusals of chattr +i and +a, before any address is computed.
pub(in crate::volume) fn refuse_protected(state: &InodeState, offset: u64) -> Result<()> {
    let permissions = u64::from(state.slot.anchor.permissions);
    let append_only = permissions & layout::PERMISSION_APPEND != 0;
    if permissions & layout::PERMISSION_IMMUTABLE != 0 || append_only && offset < state.size {
        return Err(Code::NotPermitted.into());
    }
    Ok(())
}

/// NotPermitted for a change of what stands in an append-only file, even an empty one.
pub(in crate::volume) fn refuse_appending(state: &InodeState) -> Result<()> {
    let append_only = u64::from(state.slot.anchor.permissions) & layout::PERMISSION_APPEND != 0;
    if append_only { Err(Code::NotPermitted.into()) } else { Ok(()) }
}

/// Busy: a truncation began between [`Volume::finish_truncation`] and the file's lock.
pub(in crate::volume) fn refuse_truncating(state: &InodeState) -> Result<()> {
    if state.has(layout::DATA_CLASS_TRUNCATING) { Err(Code::Busy.into()) } else { Ok(()) }
}

/// Zeroes the bytes of a block that lie behind the end of the file.
pub(in crate::volume) fn clear_behind(block: &mut Arc<BlockBuf>, index: u64, size: u64) {
    let start = index * BLOCK;
    if size < start + BLOCK {
        Arc::make_mut(block)[size.saturating_sub(start) as usize..].fill(0);
    }
}

/// Clears set-user-id, and set-group-id where the group may execute (as the kernel does).
pub fn kill_suidgid(permissions: &mut u32) {
    *permissions &= !libc::S_ISUID;
    if *permissions & libc::S_IXGRP != 0 {
        *permissions &= !libc::S_ISGID;
    }
}
