//! Reading a block of a file from whichever of its copies is good: data and META blocks alike.

use crate::base::{AlignedBuf, BLOCK_SIZE, Error, Result};
use crate::format::{DATA_COPIES, Stamp};
use crate::volume::Volume;
use crate::volume::blocks::{BlockKey, Extent, lost};
use crate::volume::inode::{MetaBlock, View};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Directory blocks that are read together at most: 128 KiB.
pub(super) const READ_TOGETHER: u64 = 32;

impl Volume {
    /// Copies of the block at `index`.
    pub(in crate::volume) fn copies_at(&self, file: View<'_>, index: u64) -> u8 {
        if file.inode.is_meta(index) { self.copies as u8 } else { DATA_COPIES as u8 }
    }

    /// A META block from the disk. DataDamaged, Corrupt: no copy is good.
    pub(super) fn read_meta(&self, file: View<'_>, index: u64) -> Result<MetaBlock> {
        let mut block = AlignedBuf::zeroed(1);
        self.read_copies(file, index, 0..self.copies_at(file, index), None, &mut block)?;
        let bytes: [u8; BLOCK_SIZE] = (&block[..]).try_into().expect("one block");
        Ok(Arc::new(bytes))
    }

    /// Brings the directory block at `index` to memory, and with it those around it that lie beside it on the disk
    /// and are not in memory. Whatever fails is left out: who asks for such a block reads it alone, from each of its
    /// copies.
    pub(super) fn read_meta_together(&self, dir: View<'_>, index: u64) {
        let missing = dir.meta.lock().missing_around(index, READ_TOGETHER);
        let mut stamps = Vec::new();
        let Some((first, extent)) = self.extent_around(dir, missing, index, &mut stamps) else { return };
        if extent.count < 2 {
            return;
        }
        let mut run = self.buffers.take(extent.count as usize);
        if self.device.read(self.blocks.block(extent.data), &mut run).is_err() {
            return;
        }
        let blocks = run.chunks_exact_mut(BLOCK_SIZE).zip(&stamps).zip(0..);
        for ((bytes, stamp), i) in blocks {
            let place = dir.inode.place(first + i, extent.copy);
            let loaded = self.blocks.coder().load(extent.data.plus(i), &place, &[*stamp], bytes);
            if let (Ok(()), Ok(bytes)) = (loaded, <[u8; BLOCK_SIZE]>::try_from(&*bytes)) {
                let mut meta = dir.meta.lock();
                meta.on_disk.insert(first + i);
                meta.keep(first + i, Arc::new(bytes), &self.inodes.meta);
            }
        }
    }

    /// The run on the disk that has the block at `index`, of the first copies of blocks `among`; and its first index.
    /// `None`: there is none, or it is not found without reading a page that cannot be read.
    fn extent_around(
        &self,
        dir: View<'_>,
        among: Range<u64>,
        index: u64,
        stamps: &mut Vec<Stamp>,
    ) -> Option<(u64, Extent)> {
        for first in [among.start, index] {
            stamps.clear();
            let key = BlockKey { owner: dir.inode.ino, index: first, copy: 0 };
            let max = among.end.saturating_sub(first);
            let found = self.blocks.find_run(key, dir.candidates(), max, |stamp| stamps.push(stamp)).ok()?;
            if let Some(extent) = found.filter(|found| found.written && first + found.count > index) {
                return Some((first, extent));
            }
        }
        None
    }

    /// A run of which copy `bad` does not come back from the disk (`problem`): each of its blocks from the
    /// copies behind that one.
    pub(in crate::volume) fn read_other_copies(
        &self,
        file: View<'_>,
        index: u64,
        bad: u8,
        problem: Error,
        bytes: &mut [u8],
    ) -> Result<()> {
        for (index, block) in (index..).zip(bytes.chunks_exact_mut(BLOCK_SIZE)) {
            let copies = bad + 1..self.copies_at(file, index);
            self.read_copies(file, index, copies, Some(problem.clone()), block)?;
        }
        Ok(())
    }

    /// A block from the first of `copies` that is good. Bad ones are noted; so is one before them, whose
    /// `problem` the caller met. The error is that of the first.
    fn read_copies(
        &self,
        file: View<'_>,
        index: u64,
        copies: Range<u8>,
        mut problem: Option<Error>,
        block: &mut [u8],
    ) -> Result<()> {
        for copy in copies {
            match self.read_copy(file, index, copy, block) {
                Ok(()) if problem.is_none() => return Ok(()),
                Ok(()) => {
                    self.note_bad_copy(file, index);
                    return Ok(());
                }
                Err(error) => problem = problem.or(Some(error)),
            }
        }
        let error = problem.unwrap_or_else(|| lost(file.inode.ino, index));
        self.reporter.error(&error);
        Err(error)
    }

    fn read_copy(&self, file: View<'_>, index: u64, copy: u8, block: &mut [u8]) -> Result<()> {
        let key = BlockKey { owner: file.inode.ino, index, copy };
        let mut found = self.blocks.find(key, file.candidates())?;
        if found.is_none() && self.blocks.recheck(key, file.candidates())? {
            found = self.blocks.find(key, file.candidates())?;
        }
        let (data, descriptor) = found.ok_or_else(|| lost(file.inode.ino, index))?;
        self.device.read(self.blocks.block(data), block)?;
        self.blocks.coder().load(data, &descriptor.place(), &[descriptor.stamp], block)
    }

    /// One copy of a block is bad, another good: the next commit places it anew, in all copies.
    fn note_bad_copy(&self, file: View<'_>, index: u64) {
        self.commits.stats.healed_blocks.fetch_add(1, Ordering::Relaxed);
        if file.inode.is_meta(index) {
            file.meta.lock().damaged.insert(index);
        }
    }
}
