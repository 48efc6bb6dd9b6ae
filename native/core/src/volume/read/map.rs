//! The walk over a file's blocks: what is at an index, and for how many indices that holds.
//!
//! Everything that goes through a file asks here: reading, seeking, writing, preallocating, relocating,
//! freeing. What exists is known without looking at a descriptor ([`Volume::mapping`]); where it stands, and
//! whether it was ever written, costs a look ([`Volume::extent`]).

use crate::base::Result;
use crate::format::Stamp;
use crate::format::layout::FILE_BLOCKS_MAX;
use crate::volume::Volume;
use crate::volume::blocks::{BlockKey, Extent, lost};
use crate::volume::inode::View;

/// What a file has at an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Bytes in memory that are newer than the disk: delayed, or on their way.
    Memory,
    /// Bytes in the anchor.
    Inline,
    /// Nothing: it reads as zeros.
    Hole,
    /// A block on the disk.
    Block,
}

/// What stands at an index and at those behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    pub holds: Holds,
    /// Indices from the first one on that hold the same.
    pub count: u64,
}

impl Mapping {
    /// Whether the file owns a block there, or will once what is delayed is placed.
    pub fn exists(&self) -> bool {
        matches!(self.holds, Holds::Memory | Holds::Block)
    }
}

impl Volume {
    /// What is at `index`, at most `max` indices of it.
    pub(in crate::volume) fn mapping(&self, file: View<'_>, index: u64, max: u64) -> Result<Mapping> {
        let found = |holds, count| Ok(Mapping { holds, count });
        if file.in_memory(index).is_some() {
            return found(Holds::Memory, 1);
        }
        let max = file.next_in_memory(index).map_or(max, |next| max.min(next - index));
        if file.is_inline() {
            return if index == 0 { found(Holds::Inline, 1) } else { found(Holds::Hole, max) };
        }
        let (exists, count) = self.placed_run(file, index, max)?;
        found(if exists { Holds::Block } else { Holds::Hole }, count)
    }

    /// Whether a block below the placed size, or one that presence knows, is at `index`; and for how many
    /// indices that holds.
    fn placed_run(&self, file: View<'_>, index: u64, max: u64) -> Result<(bool, u64)> {
        if file.is_sparse() {
            return self.presence_run(file, index, max);
        }
        let placed = file.placed_blocks();
        Ok(if index < placed { (true, max.min(placed - index)) } else { (false, max) })
    }

    /// The next run of indices of `from .. end` that own a block on the disk, whatever memory holds.
    pub(in crate::volume) fn next_owned(
        &self,
        file: View<'_>,
        from: u64,
        end: u64,
    ) -> Result<Option<(u64, u64)>> {
        if file.is_sparse() {
            return self.next_present(file, from, end);
        }
        // A dense file owns exactly the blocks 0 to blocks - 1, also while a truncation is under way.
        let owned = end.min(file.slot.attributes.blocks);
        Ok((from < owned).then(|| (from, owned - from)))
    }

    /// Where the block at `index` stands, with at most `max` of its like behind it; `take` gets the stamps of
    /// written ones. The mapping says that there is one. DataDamaged: no copy of it is found.
    pub(super) fn extent(
        &self,
        file: View<'_>,
        index: u64,
        max: u64,
        mut take: impl FnMut(Stamp),
    ) -> Result<Extent> {
        debug_assert!(index < FILE_BLOCKS_MAX);
        for copy in 0..self.copies_at(file, index) {
            let key = BlockKey { owner: file.inode.ino, index, copy };
            let mut found = self.blocks.find_run(key, file.candidates(), max, &mut take)?;
            if found.is_none() && self.blocks.recheck(key, file.candidates())? {
                found = self.blocks.find_run(key, file.candidates(), max, &mut take)?;
            }
            if let Some(found) = found {
                return Ok(found);
            }
        }
        file.inode.doubt();
        let error = lost(file.inode.ino, index);
        self.reporter.error(&error);
        Err(error)
    }
}
