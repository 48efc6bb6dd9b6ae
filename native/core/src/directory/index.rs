//! The index in memory: which leaf holds which range of hashes, and where the index blocks are.
//!
//! Entry i of 2^depth is the block number of the leaf for hashes with top bits i. The index blocks
//! on disk are written from here and never read again after [`DirIndex::load`] (load.rs).

use super::hash::{HASH_BITS, Range};
use crate::base::BLOCK_SIZE;
use crate::format::layout::{
    DIR_DEPTH_MAX, DIR_HEADER, DIR_INDEX, DIR_INDEX_ENTRIES, DIRECTORY_MAGIC, DirBlock,
};

pub(super) const ENTRIES_PER_BLOCK: usize = DIR_INDEX_ENTRIES as usize;
const DEPTHS: usize = DIR_DEPTH_MAX as usize + 1;

/// Blocks that an index of that depth takes; a single leaf has none.
pub(super) fn blocks_of_depth(depth: u8) -> u32 {
    match depth {
        0 => 0,
        _ => (1u32 << depth).div_ceil(ENTRIES_PER_BLOCK as u32),
    }
}

/// The index of one directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirIndex {
    pub(super) depth: u8,
    /// 2^depth block numbers of leaves; empty for an empty directory.
    pub(super) slots: Vec<u32>,
    /// Block numbers of the index blocks, by ordinal.
    pub(super) chain: Vec<u32>,
    /// How many leaves have each depth.
    pub(super) leaves_of_depth: [u32; DEPTHS],
}

/// A leaf as the index knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LeafRef {
    pub block: u32,
    pub range: Range,
}

impl DirIndex {
    pub(super) fn empty() -> DirIndex {
        DirIndex { depth: 0, slots: Vec::new(), chain: Vec::new(), leaves_of_depth: [0; DEPTHS] }
    }

    /// The index of a directory with one leaf.
    pub(super) fn single(block: u32) -> DirIndex {
        let mut index = DirIndex::empty();
        index.slots.push(block);
        index.leaves_of_depth[0] = 1;
        index
    }

    /// Bytes of memory the index takes.
    pub fn memory(&self) -> usize {
        (self.slots.capacity() + self.chain.capacity()) * size_of::<u32>()
    }

    pub(super) fn leaf_count(&self) -> u32 {
        self.leaves_of_depth.iter().sum()
    }

    /// Depth of the deepest leaf under those counts.
    pub(super) fn deepest(leaves_of_depth: &[u32; DEPTHS]) -> u8 {
        leaves_of_depth.iter().rposition(|&leaves| leaves > 0).unwrap_or(0) as u8
    }

    fn slot_of(&self, hash: u64) -> usize {
        (hash >> (HASH_BITS - u32::from(self.depth))) as usize
    }

    /// Slots of `range`, which is at most `depth` deep.
    fn slots_of(&self, range: Range) -> std::ops::Range<usize> {
        let first = self.slot_of(range.prefix);
        first..first + (1 << (self.depth - range.depth))
    }

    /// The leaf for `hash`; `None` in an empty directory.
    pub(super) fn leaf_of(&self, hash: u64) -> Option<LeafRef> {
        let block = *self.slots.get(self.slot_of(hash))?;
        let mut depth = self.depth;
        // The slots of a leaf are one aligned run, so its ends tell whether a wider range is its own.
        while depth > 0 && self.is_one_leaf(Range::around(hash, depth - 1)) {
            depth -= 1;
        }
        Some(LeafRef { block, range: Range::around(hash, depth) })
    }

    /// True if one leaf (at least as wide) covers all of `range`.
    pub(super) fn is_one_leaf(&self, range: Range) -> bool {
        let slots = self.slots_of(range);
        self.slots[slots.start] == self.slots[slots.end - 1]
    }

    /// Ordinals of the index blocks that hold the slots of `range`.
    pub(super) fn ordinals_of(&self, range: Range) -> std::ops::RangeInclusive<usize> {
        let slots = self.slots_of(range);
        slots.start / ENTRIES_PER_BLOCK..=(slots.end - 1) / ENTRIES_PER_BLOCK
    }

    /// Makes `block` the leaf of `range`.
    pub(super) fn set(&mut self, range: Range, block: u32) {
        let slots = self.slots_of(range);
        self.slots[slots].fill(block);
    }

    /// Doubles the index until it has that depth.
    pub(super) fn deepen(&mut self, depth: u8) {
        let copies = 1usize << (depth - self.depth);
        let mut slots = Vec::with_capacity(self.slots.len() * copies);
        for &block in &self.slots {
            slots.extend(std::iter::repeat_n(block, copies));
        }
        self.slots = slots;
        self.depth = depth;
    }

    /// Halves the index until it has that depth; no leaf is deeper.
    pub(super) fn flatten(&mut self, depth: u8) {
        let step = 1usize << (self.depth - depth);
        self.slots = self.slots.iter().copied().step_by(step).collect();
        self.depth = depth;
    }

    /// The bytes of index block `ordinal`.
    pub(super) fn encode(&self, ordinal: usize) -> [u8; BLOCK_SIZE] {
        let first = ordinal * ENTRIES_PER_BLOCK;
        let slots = &self.slots[first..self.slots.len().min(first + ENTRIES_PER_BLOCK)];
        let mut bytes = [0; BLOCK_SIZE];
        let header = DirBlock {
            magic: DIRECTORY_MAGIC as u32,
            kind: DIR_INDEX,
            depth: 0,
            count: slots.len() as u16,
            used: size_of_val(slots) as u16,
            ordinal: ordinal as u32,
            prefix: 0,
            next: self.chain.get(ordinal + 1).copied().unwrap_or(0),
        };
        header.encode(&mut bytes);
        for (field, block) in bytes[DIR_HEADER as usize..].chunks_exact_mut(4).zip(slots) {
            field.copy_from_slice(&block.to_le_bytes());
        }
        bytes
    }
}
