//! Distinct types for quantities that are all "a number" (a block is not a byte offset).

/// Bytes in a block of the device and in a metadata page.
pub const BLOCK_SIZE: usize = 4096;

/// A file's number: the low 64 bits of its seed_id, `st_ino`, and the FUSE node id.
pub type Ino = u64;

/// A block of the device, counted from its start (unit: 4096 bytes).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockNumber(pub u64);

/// A block of window or overwrite area, counted from the window's first block (unit: 4096 bytes):
/// the number of its free map bit and of its descriptor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataNumber(pub u64);

/// A page of one metadata copy, counted from the start of that copy (unit: 4096 bytes).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CopyPage(pub u64);

impl BlockNumber {
    /// Byte offset of the block's first byte on the device.
    pub fn byte(self) -> u64 {
        self.0 * BLOCK_SIZE as u64
    }
    /// The block `count` further on.
    pub fn plus(self, count: u64) -> BlockNumber {
        BlockNumber(self.0 + count)
    }
}

impl CopyPage {
    /// The page `count` further on.
    pub fn plus(self, count: u64) -> CopyPage {
        CopyPage(self.0 + count)
    }
}

impl DataNumber {
    /// The data block `count` further on.
    pub fn plus(self, count: u64) -> DataNumber {
        DataNumber(self.0 + count)
    }
}
