//! The argument checks that every device makes.

use crate::base::{BLOCK_SIZE, BlockNumber, Code, Error, Result};

/// `bytes` from block `at` on are whole blocks inside a device of `block_count` blocks.
pub(super) fn check(block_count: u64, at: BlockNumber, bytes: usize) -> Result<()> {
    if bytes % BLOCK_SIZE != 0 {
        return Err(Error::new(Code::InvalidArgument, format!("{bytes} bytes are not whole blocks")));
    }
    check_blocks(block_count, at, (bytes / BLOCK_SIZE) as u64)
}

/// `count` blocks from `at` on lie inside a device of `block_count` blocks.
pub(super) fn check_blocks(block_count: u64, at: BlockNumber, count: u64) -> Result<()> {
    if at.0.checked_add(count).is_some_and(|end| end <= block_count) {
        return Ok(());
    }
    Err(Error::new(
        Code::InvalidArgument,
        format!("blocks {} and {count} on are outside the device of {block_count} blocks", at.0),
    ))
}

/// As [`check`] for several buffers of whole blocks; returns their bytes together.
pub(super) fn check_all(block_count: u64, at: BlockNumber, bufs: &[&[u8]]) -> Result<usize> {
    let mut total = 0usize;
    for buf in bufs {
        check(block_count, at, buf.len())?;
        total = total
            .checked_add(buf.len())
            .ok_or_else(|| Error::new(Code::InvalidArgument, "buffers are too long together"))?;
    }
    check(block_count, at, total)?;
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_blocks_inside_the_device_pass() {
        assert!(check(10, BlockNumber(0), 10 * BLOCK_SIZE).is_ok());
        assert!(check(10, BlockNumber(10), 0).is_ok());
        for (at, bytes) in [(0, 1), (0, 4095), (10, 4096), (1, 40960), (u64::MAX, 4096), (11, 0)] {
            assert_eq!(
                check(10, BlockNumber(at), bytes).unwrap_err().code,
                Code::InvalidArgument,
                "{at} {bytes}"
            );
        }
        assert!(check_blocks(10, BlockNumber(1), u64::MAX).is_err());
        let block = [0u8; BLOCK_SIZE];
        assert_eq!(check_all(10, BlockNumber(8), &[&block, &block]).unwrap(), 2 * BLOCK_SIZE);
        assert!(check_all(10, BlockNumber(8), &[&block, &block, &block]).is_err());
        assert!(check_all(10, BlockNumber(0), &[&block[..100], &block[..3996]]).is_err());
    }
}
