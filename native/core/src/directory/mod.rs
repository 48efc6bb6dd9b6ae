//! Directories: a name's file by extendible hashing over dense blocks (docs/format.md 5).
//!
//! A leaf holds the entries of one range of the 56-bit name hash, in hash order; the index (2^depth
//! leaf numbers) says which leaf has which range. So a lookup reads one leaf, an insert rewrites one
//! leaf (and at a split a few blocks more), and the order of an iteration is the order of the
//! hashes: splits, merges and moves of blocks leave it alone.
//!
//! Invariants:
//! - every block of 0 to length - 1 is one leaf or one index block; block 0 is a leaf;
//! - the ranges of the leaves cover all hashes once;
//! - two leaves whose ranges are the halves of one range hold more than `MERGE_BYTES` together;
//! - an operation that fails leaves table, state and blocks as they were: it reads and checks all
//!   blocks it needs before it changes the first.

mod bytes;
mod check;
mod edit;
mod hash;
mod index;
mod insert;
mod leaf;
mod load;
mod rebuild;
mod remove;
mod split;
mod table;

#[cfg(test)]
mod tests;

pub use bytes::{BlockBytes, DirBlocks, DirReads};
pub use check::CheckReport;
pub use hash::{HASH_BITS, NameHash, name_hash};
pub use index::DirIndex;
pub use insert::Insertion;
pub use leaf::{Entry, LEAF_BYTES, NamedEntry, Seed};
pub use rebuild::{Rebuilt, rebuild};
pub use remove::MERGE_BYTES;
pub use table::DirTable;
