//! What a directory stands on: numbered blocks of 4096 bytes.

use crate::base::{BLOCK_SIZE, Code, Error, Ino, Result};
use std::sync::Arc;

/// A block's bytes, shared with the cache that keeps them.
pub type BlockBytes = Arc<[u8; BLOCK_SIZE]>;

/// The blocks of one directory, by logical index.
pub trait DirReads {
    /// A block's current bytes (may do I/O).
    fn read(&mut self, block: u32) -> Result<BlockBytes>;
}

/// As [`DirReads`], where they may change, too.
pub trait DirBlocks: DirReads {
    /// Replaces a block's bytes in memory; never fails (the block was read or is new).
    fn write(&mut self, block: u32, bytes: BlockBytes);
    /// New length in blocks; new blocks are written before they are read. Never fails.
    fn set_len(&mut self, blocks: u32);
}

/// A place, for the text of an error.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    pub directory: Ino,
    pub block: u32,
}

impl At {
    /// `Code::Corrupt`, naming directory, block and the broken rule.
    #[cold]
    pub fn corrupt(self, rule: &str) -> Error {
        Error::new(Code::Corrupt, format!("directory {}, block {}: {rule}", self.directory, self.block))
    }
}

/// `Code::Corrupt` for what the anchor says about a directory.
#[cold]
pub(super) fn corrupt_state(directory: Ino, rule: &str) -> Error {
    Error::new(Code::Corrupt, format!("directory {directory}: {rule}"))
}
