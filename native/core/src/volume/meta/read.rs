//! Reading META blocks: two copies, either will do; a bad one is written again.

use crate::base::{AlignedBuf, BLOCK_SIZE, Code, Error, Result, crc32c};
use crate::volume::Volume;
use crate::volume::blocks::{BlockKey, lost};
use crate::volume::inode::{MetaBlock, View};
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Volume {
    /// A META block from the disk. DataDamaged: no copy matches its checksum.
    pub(in crate::volume) fn read_meta(&self, file: View<'_>, index: u64) -> Result<MetaBlock> {
        let mut problem = None;
        for copy in 0..self.copies as u8 {
            match self.read_meta_copy(file, index, copy) {
                Ok(block) => {
                    if problem.is_some() {
                        self.commits.stats.healed_blocks.fetch_add(1, Ordering::Relaxed);
                        // The next commit places it anew, in both copies.
                        file.meta.lock().damaged.insert(index);
                    }
                    return Ok(block);
                }
                Err(error) => problem = problem.or(Some(error)),
            }
        }
        let error = problem.unwrap_or_else(|| lost(file.inode.ino, index));
        self.reporter.error(&error);
        Err(error)
    }

    fn read_meta_copy(&self, file: View<'_>, index: u64, copy: u8) -> Result<MetaBlock> {
        let key = BlockKey { owner: file.inode.ino, index, copy };
        let mut found = self.blocks.find(key, file.candidates())?;
        if found.is_none() && self.blocks.recheck(key, file.candidates())? {
            found = self.blocks.find(key, file.candidates())?;
        }
        let (data, descriptor) = found.ok_or_else(|| lost(file.inode.ino, index))?;
        let mut buf = AlignedBuf::zeroed(1);
        self.device.read(self.blocks.block(data), &mut buf)?;
        if crc32c(&buf) != descriptor.crc {
            return Err(Error::new(
                Code::DataDamaged,
                format!("file {}, metadata block {index}, copy {copy}: checksum mismatch", file.inode.ino),
            ));
        }
        let bytes: [u8; BLOCK_SIZE] = (&buf[..]).try_into().expect("one block");
        Ok(Arc::new(bytes))
    }
}
