//! Giving blocks back: which ones, for truncation, punching, deletion; in bounded slices, of a dense file from
//! the end. Nothing here changes anything: `volume/writeback/release.rs` does.

use crate::base::{Code, DataNumber, Result};
use crate::extension::Change as ChainChange;
use crate::format::{Kind, layout};
use crate::transaction::{Transaction, cost};
use crate::volume::Volume;
use crate::volume::blocks::BlockKey;
use crate::volume::inode::{Inode, InodeState, Locked, View};
use crate::volume::writeback::{Found, Release};
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

    /// Finds the file's data blocks from `from` on. False: more than one slice holds; call again after the
    /// next commit (the blocks that are left lie below those found, in a sparse file behind them).
    pub(in crate::volume) fn find_data(&self, found: &mut Found, file: View<'_>, from: u64) -> Result<bool> {
        let whole = match file.is_sparse() {
            true => self.find_sparse(found, file, from, layout::FILE_BLOCKS_MAX),
            false => self.find_dense(found, file, from),
        };
        whole.inspect_err(|_| file.inode.doubt())
    }

    /// The blocks of a dense file from `from` on, from the end, at most a slice. It owns exactly the blocks 0 to
    /// `blocks` - 1.
    fn find_dense(&self, found: &mut Found, file: View<'_>, from: u64) -> Result<bool> {
        let end = file.slot.attributes.blocks;
        if from >= end {
            return Ok(true);
        }
        let start = from.max(end.saturating_sub(SLICE_BY_EQUATION));
        if self.are_at_home(file, start, end)? {
            for_each_home(self, file, start, end, |key, data, count| {
                self.will_free(found, key, data, count)
            })?;
            found.uncover(start, end);
            return Ok(start == from);
        }
        let start = from.max(end.saturating_sub(self.slice_by_lookup()));
        let mut index = start;
        while index < end {
            index += self.find_owned(found, file, index, end - index)?;
        }
        found.uncover(start, end);
        Ok(start == from)
    }

    /// Whether the equation alone says where these blocks are, so that no descriptor needs to be read: nothing
    /// has ever gone wrong with the file, and the free map does not contradict it.
    fn are_at_home(&self, file: View<'_>, start: u64, end: u64) -> Result<bool> {
        let plain = file.slot.kmax() == 0
            && file.equations.segments.is_empty()
            && !self.blocks.has_overwrites(file.inode.ino)
            && !file.inode.is_doubted();
        if !plain {
            return Ok(false);
        }
        let mut live = true;
        let reached = for_each_home(self, file, start, end, |_, data, count| {
            live &= self.blocks.in_use(data, count)?;
            Ok(())
        })?;
        if !live || reached < end {
            file.inode.doubt();
        }
        Ok(live && reached == end)
    }

    /// What a sparse file owns of `from .. end`, forward through what exists, at most a slice.
    pub(super) fn find_sparse(&self, found: &mut Found, file: View<'_>, from: u64, end: u64) -> Result<bool> {
        let mut edit = self.edit_presence(file)?;
        let mut budget = self.slice_by_lookup();
        let mut index = from;
        let whole = loop {
            let Some((start, count)) = self.next_owned(file, index, end)? else { break true };
            if budget == 0 {
                break false;
            }
            let count = self.find_owned(found, file, start, count.min(budget))?;
            self.will_be_holes(file, &mut edit, start, count)?;
            budget -= count;
            index = start + count;
        };
        found.presence = Some(edit);
        found.uncover(from, if whole { end } else { index });
        Ok(whole)
    }

    /// Adds the blocks that hold `index` and those behind it, at most `max`; returns how many indices that were.
    fn find_owned(&self, found: &mut Found, file: View<'_>, index: u64, max: u64) -> Result<u64> {
        let key = BlockKey { owner: file.inode.ino, index, copy: 0 };
        match self.blocks.find_run(key, file.candidates(), max, |_| ())? {
            Some(extent) => {
                self.will_free(found, key, extent.data, extent.count)?;
                Ok(extent.count)
            }
            None => {
                // Damage took it away.
                found.lose(1);
                Ok(1)
            }
        }
    }

    /// Plans to free the file's data blocks from `from` on, at most a slice of them; true: all.
    pub(super) fn plan_cut(
        &self,
        tx: &Transaction<'_>,
        file: View<'_>,
        from: u64,
        also: &[ChainChange<'_>],
    ) -> Result<(Release<'_>, bool)> {
        let mut found = Found::default();
        let whole = self.find_data(&mut found, file, from)?;
        Ok((self.plan_release(tx, file, found, also)?, whole))
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
        let (release, done) = self.plan_cut(tx, file.view(), file.placed_blocks(), &[])?;
        self.release(tx, file, release);
        if done {
            file.set(layout::DATA_CLASS_TRUNCATING, false);
            self.reconcile_orphan(tx, file.inode);
        }
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

/// The runs of blocks that the anchor's equation names for indices `start .. end`, as far as it goes; returns
/// the index where that ends.
fn for_each_home(
    volume: &Volume,
    file: View<'_>,
    start: u64,
    end: u64,
    mut take: impl FnMut(BlockKey, DataNumber, u64) -> Result<()>,
) -> Result<u64> {
    let mut index = start;
    while index < end {
        let run = file.equations.run(volume.blocks.window(), index, 0, 0, end - index);
        let Some((data, count)) = run else { break };
        take(BlockKey { owner: file.inode.ino, index, copy: 0 }, data, count)?;
        index += count;
    }
    Ok(index)
}
