//! SEEK_DATA and SEEK_HOLE.

use super::map::Holds;
use crate::base::{BLOCK_SIZE, Code, Result};
use crate::volume::Volume;
use crate::volume::inode::{Inode, View};
use std::sync::Arc;

const BLOCK: u64 = BLOCK_SIZE as u64;

impl Volume {
    /// The first byte at or after `offset` that is data (or in a hole). NoSeekTarget: none before the end.
    pub fn seek(&self, inode: &Arc<Inode>, offset: u64, data: bool) -> Result<u64> {
        self.trim_meta();
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
        let mapping = self.mapping(file, index, max)?;
        if mapping.holds == Holds::Block && file.is_sparse() {
            // Preallocated blocks read as zeros: a hole, as ext4 says. A dense file has none below its size.
            let extent = self.extent(file, index, mapping.count, |_| ())?;
            return Ok((extent.written, extent.count));
        }
        Ok((mapping.holds != Holds::Hole, mapping.count))
    }
}
