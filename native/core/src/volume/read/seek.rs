//! SEEK_DATA and SEEK_HOLE.

use crate::base::{BLOCK_SIZE, Code, Result};
use crate::volume::Volume;
use crate::volume::blocks::Extent;
use crate::volume::inode::{Inode, InodeState};

const BLOCK: u64 = BLOCK_SIZE as u64;

impl Volume {
    /// The first byte at or after `offset` that is data (or in a hole). NoSeekTarget: none before the end.
    pub fn seek(&self, inode: &Inode, offset: u64, data: bool) -> Result<u64> {
        let state = inode.state.read();
        if offset >= state.size {
            return Err(Code::NoSeekTarget.into());
        }
        let end = state.size_blocks();
        let mut index = offset / BLOCK;
        while index < end {
            let (is_data, count) = self.data_run(inode, &state, index, end - index)?;
            if is_data == data {
                return Ok((index * BLOCK).max(offset).min(state.size));
            }
            index += count;
        }
        // The end of the file counts as a hole.
        if data { Err(Code::NoSeekTarget.into()) } else { Ok(state.size) }
    }

    /// Whether an index holds data, and for how many indices that stays so.
    fn data_run(&self, inode: &Inode, state: &InodeState, index: u64, max: u64) -> Result<(bool, u64)> {
        if state.in_memory(index).is_some() || state.is_inline() && index == 0 {
            return Ok((true, 1));
        }
        let max = state.next_in_memory(index).map_or(max, |next| max.min(next - index));
        if !state.is_sparse() {
            let placed = if state.is_inline() { 0 } else { state.placed_blocks() };
            return Ok(if index < placed { (true, max.min(placed - index)) } else { (false, max) });
        }
        let (present, count) = self.presence_run(inode, state, index, max)?;
        if !present {
            return Ok((false, count));
        }
        // Preallocated blocks read as zeros: a hole, as ext4 says.
        let extent = self.extent(inode, state, index, count, &mut Vec::new())?;
        Ok((matches!(extent, Extent::Written { .. }), extent.count()))
    }
}
