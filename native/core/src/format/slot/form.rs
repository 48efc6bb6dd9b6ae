//! What a row of the table of legal forms says; the rows are in `forms.rs`, generated from
//! src/format/slot-forms.ts, from which the reader decides too.

use super::Kind;

/// How many blocks a file owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocks {
    None,
    /// ceil(mass / 4096).
    Content,
    /// Those, and any others.
    AtLeastContent,
    /// mass / 4096, twice if there is a copy 1.
    CopiesOfContent,
    /// What the volume holds.
    Any,
}

/// What the inline buffer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buffer {
    Zero,
    Content,
    FileState,
    DirectoryState,
}

/// A legal form of a slot.
#[derive(Debug)]
pub struct Form {
    pub name: &'static str,
    pub kinds: &'static [Kind],
    /// Of `FORM_FLAGS` the file has exactly these.
    pub has: u64,
    /// Flags that it may have besides.
    pub may: u64,
    /// KMAX may be above 0.
    pub kmax: bool,
    /// Smallest and largest size, bytes.
    pub mass: (u64, u64),
    /// The size is a multiple of a block.
    pub whole_blocks: bool,
    pub blocks: Blocks,
    /// In place of `blocks` while TRUNCATING.
    pub truncating: Blocks,
    /// In place of both with TOMBSTONE.
    pub tombstone: Blocks,
    pub buffer: Buffer,
    /// `nlink` may be 1.
    pub nlink_1: bool,
    /// `rdev` may be other than 0.
    pub rdev: bool,
}
