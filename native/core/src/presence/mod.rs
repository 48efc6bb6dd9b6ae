//! Which data blocks of a sparse file exist (docs/format.md 4, Presence): a tree of bit maps.
//!
//! The root (64 bits) stands in the anchor, the nodes (32,768 bits each) are blocks of the file. At
//! height 0 a root bit is a data block; at height h it is a node of level h, whose bits are nodes of
//! level h - 1 or, at level 1, data blocks. A node without bits does not exist, so everything here
//! costs what exists, not what the file spans.
//!
//! An operation that fails changes nothing: it reads all nodes it needs first. Several that must fail or
//! happen together are collected in an [`Edit`].

mod bits;
mod edit;
mod find;

#[cfg(test)]
mod tests;

pub use edit::Edit;

use crate::base::{BLOCK_SIZE, Code, Error, Ino, Result};
use crate::format::layout::{
    FILE_BLOCKS_MAX, FileState, PRESENCE_1, PRESENCE_2, PRESENCE_3, PRESENCE_BITS, PRESENCE_ROOT_BITS,
};
use std::sync::Arc;

/// Highest level of nodes.
pub const HEIGHT_MAX: u8 = 3;

/// The bytes of a node.
pub type NodeBytes = Arc<[u8; BLOCK_SIZE]>;

/// The blocks of one file that are presence nodes, by logical index ([`node_index`]).
pub trait NodeReads {
    /// A node's current bytes (may do I/O).
    fn read(&mut self, index: u64) -> Result<NodeBytes>;
}

/// As [`NodeReads`], where they may change, too.
pub trait NodeBlocks: NodeReads {
    /// Replaces a node's bytes in memory, or makes it; never fails.
    fn write(&mut self, index: u64, bytes: NodeBytes);
    /// The node is gone; never fails.
    fn remove(&mut self, index: u64);
}

/// Logical index of node `number` of `level` (1 to 3).
pub fn node_index(level: u8, number: u64) -> u64 {
    let first = match level {
        1 => PRESENCE_1,
        2 => PRESENCE_2,
        _ => PRESENCE_3,
    };
    first + number
}

/// Data blocks that a bit stands for in a node of `level` + 1, or in the root at height `level`.
fn span(level: u8) -> u64 {
    PRESENCE_BITS.pow(u32::from(level))
}

/// Presence of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presence {
    owner: Ino,
    height: u8,
    root: u64,
}

impl Presence {
    /// Presence of file `owner`; no block exists.
    pub fn empty(owner: Ino) -> Presence {
        Presence { owner, height: 0, root: 0 }
    }

    /// Presence as the anchor has it. Error: `Corrupt`.
    pub fn load(owner: Ino, state: &FileState) -> Result<Presence> {
        let presence = Presence { owner, height: state.height, root: state.root };
        if state.height > HEIGHT_MAX {
            return Err(presence.corrupt("height of the presence nodes above 3"));
        }
        let bits = FILE_BLOCKS_MAX / span(state.height).min(FILE_BLOCKS_MAX);
        if bits < PRESENCE_ROOT_BITS && state.root >> bits != 0 {
            return Err(presence.corrupt("presence root has bits behind the largest file"));
        }
        Ok(presence)
    }

    /// Writes height and root into the anchor's state.
    pub fn store(&self, state: &mut FileState) {
        state.height = self.height;
        state.root = self.root;
    }

    /// True if no data block exists.
    pub fn is_empty(&self) -> bool {
        self.root == 0
    }
    /// Levels of nodes.
    pub fn height(&self) -> u8 {
        self.height
    }

    /// First block that the tree at this height cannot say anything about.
    fn capacity(&self) -> u64 {
        capacity(self.height)
    }

    /// Upper bound of the nodes that [`Presence::set_range`] writes, found without reading.
    pub fn worst_case_nodes(&self, first: u64, count: u64) -> u64 {
        let height = height_for(first.saturating_add(count)).max(self.height);
        let on_level = |level| (count / span(level)).saturating_add(2);
        let growth = u64::from(height - self.height);
        (1..=height).map(on_level).fold(growth, u64::saturating_add)
    }

    #[cold]
    fn corrupt(&self, rule: &str) -> Error {
        Error::new(Code::Corrupt, format!("file {}: {rule}", self.owner))
    }
    #[cold]
    fn corrupt_node(&self, level: u8, number: u64) -> Error {
        let text = format!("file {}, presence node {level}:{number}: has no bits", self.owner);
        Error::new(Code::Corrupt, text)
    }
}

fn capacity(height: u8) -> u64 {
    PRESENCE_ROOT_BITS.saturating_mul(span(height)).min(FILE_BLOCKS_MAX)
}

/// Smallest height at which blocks below `end` have bits.
fn height_for(end: u64) -> u8 {
    (0..HEIGHT_MAX).find(|&height| capacity(height) >= end).unwrap_or(HEIGHT_MAX)
}

/// Refuses ranges that no file can have.
fn check_range(first: u64, count: u64) -> Result<()> {
    match first.checked_add(count) {
        Some(end) if end <= FILE_BLOCKS_MAX => Ok(()),
        _ => Err(Code::FileTooLarge.into()),
    }
}
