//! copy_file_range inside the engine.

use super::guards;
use crate::base::{AlignedBuf, BLOCK_SIZE, Code, Result, Stop};
use crate::format::Kind;
use crate::volume::Volume;
use crate::volume::inode::Inode;
use std::sync::Arc;

/// Bytes copied under one pair of locks.
const STEP: u64 = 1 << 20;

impl Volume {
    /// Copies up to `length` bytes; returns how many, fewer at the end of the source, or when
    /// asked to stop. Holes of the source
    /// become zeros. InvalidArgument: the ranges overlap in one file.
    pub fn copy_range(
        &self,
        source: &Arc<Inode>,
        from: u64,
        target: &Arc<Inode>,
        to: u64,
        length: u64,
        stop: &Stop,
    ) -> Result<u64> {
        // What the copy itself adds to the source does not count.
        let length = length.min(source.share().size.saturating_sub(from));
        let overlap = length > 0
            && source.ino == target.ino
            && from < to.saturating_add(length)
            && to < from.saturating_add(length);
        if overlap {
            return Err(Code::InvalidArgument.into());
        }
        // Before the first block is read.
        if target.kind != Kind::Regular {
            return Err(Code::InvalidArgument.into());
        }
        guards::may_write_at(&target.share(), to)?;
        let mut buf = AlignedBuf::zeroed(STEP as usize / BLOCK_SIZE);
        let mut done = 0;
        while done < length && (done == 0 || !stop.is_asked()) {
            let want = (length - done).min(STEP) as usize;
            let got = self.read(source, from + done, &mut buf[..want])?;
            if got == 0 {
                break;
            }
            match self.write(target, Some(to + done), &buf[..got], false) {
                Ok(_) => {}
                // What is copied is copied: the caller hears of the rest next time.
                Err(_) if done > 0 => break,
                Err(error) => return Err(error),
            }
            done += got as u64;
        }
        Ok(done)
    }
}
