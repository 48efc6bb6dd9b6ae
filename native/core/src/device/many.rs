//! A write among many.

use crate::base::BlockNumber;

/// Buffers for consecutive blocks; each is whole blocks.
#[derive(Clone, Copy)]
pub struct BlockWrite<'a> {
    pub at: BlockNumber,
    pub bufs: &'a [&'a [u8]],
}
