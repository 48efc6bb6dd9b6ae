//! Telling the host which blocks are unused, so that an image file gives their space back.
//!
//! A block may be discarded when it may be used again: once the transaction that freed it is proven, no state that
//! a crash can leave has it live. So what is free for the allocator is claimed, discarded and given back, a piece
//! at a time; credits keep the room that others were promised. Blocks of the overwrite area, which come and go
//! all the time, and growth windows are left alone.

use crate::base::{BLOCK_SIZE, Code, Error, Result};
use crate::volume::Volume;
use std::ops::Range;

const BLOCK: u64 = BLOCK_SIZE as u64;

/// Blocks discarded in one call of the host: 256 MiB, but no more than a quarter of what is free.
const PIECE_MAX: u64 = (256 << 20) / BLOCK;
/// Times that an operation waits for room before a full volume is left as it is.
const TRIES: usize = 4;

impl Volume {
    /// Discards the free blocks among bytes `range` of the device in runs of at least `min` bytes; returns how many
    /// bytes. What was deleted before the call is committed first. Waits for commits, so call it without any lock.
    /// Errors: ReadOnly; the first failure of the volume; those of the device.
    pub fn trim(&self, range: Range<u64>, min: u64) -> Result<u64> {
        if self.options.read_only {
            return Err(Error::new(Code::ReadOnly, "the volume is not mounted for writing"));
        }
        self.reap_waiting();
        self.commits.request(true, true)?;
        let min = min.div_ceil(BLOCK).max(1);
        let (start, window) = (self.geometry.window_start, self.geometry.window_blocks);
        let block_of = |bytes: u64| bytes.saturating_sub(start * BLOCK);
        let (mut at, end) =
            (block_of(range.start).div_ceil(BLOCK), (block_of(range.end) / BLOCK).min(window));
        let mut discarded = 0;
        while at < end {
            self.commits.check_open()?;
            let Some(credits) = self.credits_to_trim()? else { break };
            let found = self.blocks.discard_next(&*self.device, at..end, min, credits);
            self.space.return_credits(credits)?;
            let Some(run) = found? else { break };
            discarded += run.len * BLOCK;
            at = run.end();
        }
        Ok(discarded)
    }

    /// Credits for a piece. `None`: the volume is as good as full, so that there is nothing to give back.
    fn credits_to_trim(&self) -> Result<Option<u64>> {
        let free = self.space.free();
        for _ in 0..TRIES {
            match self.space.take_credits((free / 4).clamp(1, PIECE_MAX)) {
                Ok(credits) => return Ok(Some(credits)),
                Err(error) if error.code == Code::Busy => self.commits.request(true, true)?,
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
#[path = "trim_tests.rs"]
mod tests;
