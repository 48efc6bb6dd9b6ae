//! SEEK_DATA and SEEK_HOLE.

use crate::base::{BLOCK_SIZE, Code, Result};
use crate::volume::Volume;
use crate::volume::blocks::Extent;
use crate::volume::inode::{Inode, View};
use std::sync::Arc;

const BLOCK: u64 = BLOCK_SIZE as u64;

impl Volume {
    /// The first byte at or after `offset` that is data (or in a hole). NoSeekTarget: none before the end.
    pub fn seek(&self, inode: &Arc<Inode>, offset: u64, data: bool) -> Result<u64> {
        let file = inode.share();
        if offset >= file.size {
            return Err(Code::NoSeekTarget.into());
        }
        let end = file.size_blocks();
        let mut index = offset / BLOCK;
        while index < end {
            let (is_data, count) = self.data_run(file.view(), index, end - index)?;
            if is_data == data {
                return Ok((index * BLOCK).max(offset).min(file.size));
            }
            index += count;
        }
        // The end of the file counts as a hole.
        if data { Err(Code::NoSeekTarget.into()) } else { Ok(file.size) }
    }

    /// Whether an index holds data, and for how many indices that stays so.
    fn data_run(&self, file: View<'_>, index: u64, max: u64) -> Result<(bool, u64)> {
        if file.in_memory(index).is_some() || file.is_inline() && index == 0 {
            return Ok((true, 1));
        }
        let max = file.next_in_memory(index).map_or(max, |next| max.min(next - index));
        if !file.is_sparse() {
            let placed = if file.is_inline() { 0 } else { file.placed_blocks() };
            return Ok(if index < placed { (true, max.min(placed - index)) } else { (false, max) });
        }
        let (present, count) = self.presence_run(file, index, max)?;
        if !present {
            return Ok((false, count));
        }
        // Preallocated blocks read as zeros: a hole, as ext4 says.
        let extent = self.extent(file, index, count, &mut Vec::new())?;
        Ok((matches!(extent, Extent::Written { .. }), extent.count()))
    }
}
