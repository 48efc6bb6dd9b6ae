//! Giving blocks back: truncation, punching, deletion. Frees from the end, in bounded slices.

use crate::base::{Code, DataNumber, Result};
use crate::format::{Kind, layout};
use crate::transaction::{Transaction, cost};
use crate::volume::Volume;
use crate::volume::blocks::BlockKey;
use crate::volume::inode::{Inode, InodeState, Locked};
use crate::volume::writeback::owns_less;
use std::sync::Arc;

/// Blocks that one slice frees by the equation alone: a few runs of map bits.
const SLICE_BY_EQUATION: u64 = 1 << 20;
/// Blocks that one slice frees by looking each of them up.
const SLICE_BY_LOOKUP: u64 = 1 << 15;
/// Blocks beside the range of a change that it may delay: where it begins, where it ends, the file's old tail,
/// content that leaves the anchor.
pub(super) const EDGES: u64 = 4;

impl Volume {
    /// Blocks that may all lie apart: each is an item of the record.
    fn slice_by_lookup(&self) -> u64 {
        SLICE_BY_LOOKUP.min(self.gate.limit() / cost::FREE)
    }

    /// Frees the file's data blocks from `from` on. False: more than one slice holds; call again
    /// after the next commit (the blocks that are left lie below those freed).
    pub(in crate::volume) fn free_from(
        &self,
        tx: &Transaction<'_>,
        file: &mut Locked<'_>,
        from: u64,
    ) -> Result<bool> {
        if file.is_sparse() {
            return self.free_sparse(tx, file, from, layout::FILE_BLOCKS_MAX);
        }
        // A dense file owns exactly the blocks 0 to blocks - 1.
        let end = file.slot.attributes.blocks;
        if from >= end {
            return Ok(true);
        }
        let plain = file.slot.kmax() == 0
            && file.equations.segments.is_empty()
            && !self.blocks.has_overwrites(file.inode.ino);
        let slice = if plain { SLICE_BY_EQUATION } else { self.slice_by_lookup() };
        let start = from.max(end.saturating_sub(slice));
        let mut runs = Vec::new();
        let mut index = start;
        while index < end {
            let key = BlockKey { owner: file.inode.ino, index, copy: 0 };
            // By the equation no descriptor is read: every block is at home.
            let equation =
                if plain { file.equations.run(self.blocks.window(), index, 0, 0, end - index) } else { None };
            let found = match equation {
                Some(run) => Some(run),
                None => self.find_owned(file, key, end - index)?,
            };
            runs.push((key, found));
            index += found.map_or(1, |(_, count)| count);
        }
        for (key, found) in runs {
            self.free_found(tx, file, key, found)?;
        }
        self.after_free(tx, file, start, end)?;
        Ok(start == from)
    }

    /// Frees what a sparse file owns of `from .. end`, from the end, at most a slice.
    pub(super) fn free_sparse(
        &self,
        tx: &Transaction<'_>,
        file: &mut Locked<'_>,
        from: u64,
        end: u64,
    ) -> Result<bool> {
        let mut runs = Vec::new();
        let mut budget = self.slice_by_lookup();
        let mut index = from;
        // Forward through what exists; a slice of it goes, the rest comes with the next call.
        let whole = loop {
            let Some((start, count)) = self.next_owned(file.view(), index, end)? else { break true };
            if budget == 0 {
                break false;
            }
            let count = count.min(budget);
            let key = BlockKey { owner: file.inode.ino, index: start, copy: 0 };
            let found = self.find_owned(file, key, count)?;
            runs.push((key, found));
            let count = found.map_or(1, |(_, count)| count);
            budget -= count;
            index = start + count;
        };
        for (key, found) in runs {
            self.clear_present(tx, file, key.index, found.map_or(1, |(_, count)| count))?;
            self.free_found(tx, file, key, found)?;
        }
        self.after_free(tx, file, from, if whole { end } else { index })?;
        Ok(whole)
    }

    /// The blocks that hold `key` and the indices behind it, at most `max`. `None`: damage took the first away.
    fn find_owned(&self, state: &InodeState, key: BlockKey, max: u64) -> Result<Option<(DataNumber, u64)>> {
        let found = self.blocks.find_run(key, state.candidates(), max, |_| ())?;
        Ok(found.map(|extent| (extent.data, extent.count)))
    }

    /// Frees what [`Volume::find_owned`] found. A block that damage took away cannot be freed, but the file must
    /// not count it as owned for ever.
    fn free_found(
        &self,
        tx: &Transaction<'_>,
        file: &mut Locked<'_>,
        key: BlockKey,
        found: Option<(DataNumber, u64)>,
    ) -> Result<()> {
        match found {
            Some((data, count)) => self.free_blocks(tx, file, key, data, count),
            None => {
                owns_less(file, 1);
                Ok(())
            }
        }
    }

    /// After blocks of copy 0 went: segments that cover nothing go too, and a file that owns nothing
    /// forgets its equation.
    fn after_free(&self, tx: &Transaction<'_>, file: &mut Locked<'_>, from: u64, end: u64) -> Result<()> {
        if !file.equations.segments.is_empty() {
            file.equations.segments.remove_range(from, end, 0);
            self.store_segments(tx, file)?;
        }
        if file.new_delayed == 0 {
            // Nodes that were reserved, or made and not yet placed, may be gone again.
            self.release_nodes(file);
        }
        self.forget_equation_if_empty(tx, file)
    }

    /// Frees what a truncation left, a slice per transaction, until nothing is.
    fn finish_truncation(&self, inode: &Arc<Inode>) -> Result<()> {
        let unfinished = |state: &InodeState| state.has(layout::DATA_CLASS_TRUNCATING) && !state.gone;
        while unfinished(&inode.share()) {
            self.throttle()?;
            let tx = self.enter()?;
            let mut file = inode.lock();
            if unfinished(&file) {
                self.free_truncated(&tx, &mut file)?;
            }
        }
        Ok(())
    }

    /// Frees a slice of what a truncation left; true: that was all.
    pub(in crate::volume) fn free_truncated(
        &self,
        tx: &Transaction<'_>,
        file: &mut Locked<'_>,
    ) -> Result<bool> {
        let done = self.free_from(tx, file, file.placed_blocks())?;
        if done {
            file.set(layout::DATA_CLASS_TRUNCATING, false);
            self.reconcile_orphan(tx, file.inode);
        }
        self.mark(tx, file);
        Ok(done)
    }

    /// Runs a change of a regular file's content, as [`Volume::change`]; what a truncation left is freed first.
    /// `delays`: blocks that it may delay, at most; a file that took a name in the running transaction needs room
    /// for them in it. InvalidArgument: the file has no content.
    pub(super) fn change_content<R>(
        &self,
        inode: &Arc<Inode>,
        delays: u64,
        mut operation: impl FnMut(&Transaction<'_>, &mut Locked<'_>) -> Result<R>,
    ) -> Result<R> {
        if inode.kind != Kind::Regular {
            return Err(Code::InvalidArgument.into());
        }
        self.throttle()?;
        self.retry(|| {
            self.finish_truncation(inode)?;
            let tx = self.enter()?;
            let mut file = inode.lock();
            // Another one began meanwhile.
            if file.has(layout::DATA_CLASS_TRUNCATING) {
                return Err(Code::Busy.into());
            }
            if file.takes_name {
                self.promise(&tx, &mut file, delays)?;
            }
            operation(&tx, &mut file)
        })
    }
}
