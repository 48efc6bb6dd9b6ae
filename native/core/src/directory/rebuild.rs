//! Builds state and index of a directory from its leaves alone: pure, for fsck.

use super::bytes::{At, BlockBytes, corrupt_state};
use super::edit;
use super::hash::{HASH_BITS, Range};
use super::index::{DirIndex, blocks_of_depth};
use super::leaf::Leaf;
use crate::base::{Ino, Result};
use crate::format::layout::DirState;
use std::sync::Arc;

/// Slots of the index for each leaf that are still sensible: one leaf of an absurd depth must not
/// demand an index of gigabytes.
const SLOTS_PER_LEAF_MAX: u64 = 4096;

/// A directory made from leaves.
pub struct Rebuilt {
    /// `gravity_1` is 0: the caller knows it.
    pub state: DirState,
    /// Blocks of the directory.
    pub length: u32,
    /// Blocks to write: index blocks, leaves that move, empty leaves for lost ones.
    pub writes: Vec<(u32, BlockBytes)>,
    /// Prefix and depth of the ranges of hashes whose leaves are lost.
    pub lost: Vec<(u64, u8)>,
}

struct Found<'a> {
    /// Block it stands in; `None` for an empty leaf in the place of a lost one.
    block: Option<u32>,
    range: Range,
    bytes: Option<&'a BlockBytes>,
}

/// State and index for the `leaves` (block number, bytes) of a directory. Lost ranges get empty
/// leaves. Errors: `Corrupt` if a leaf is invalid, if two hold the same range (the caller drops
/// one), or if the depth is out of proportion (the caller enters the names one by one instead).
pub fn rebuild(directory: Ino, leaves: &[(u32, BlockBytes)]) -> Result<Rebuilt> {
    let mut found = Vec::with_capacity(leaves.len());
    let mut entries = 0;
    for (block, bytes) in leaves {
        let leaf = Leaf::open(bytes, At { directory, block: *block }, None)?;
        leaf.verify()?;
        entries += leaf.count as u64;
        found.push(Found { block: Some(*block), range: leaf.range, bytes: Some(bytes) });
    }
    let state = DirState { gravity_1: 0, depth: 0, index_first: 0, index_blocks: 0, entries };
    let lost = fill_gaps(directory, &mut found)?;
    if entries == 0 {
        return Ok(Rebuilt { state, length: 0, writes: Vec::new(), lost });
    }
    let depth = found.iter().map(|leaf| leaf.range.depth).max().unwrap_or(0);
    if 1 << depth > SLOTS_PER_LEAF_MAX * found.len() as u64 {
        return Err(corrupt_state(directory, "depth of a leaf out of proportion"));
    }
    let index_blocks = blocks_of_depth(depth);
    let length = u32::try_from(found.len() as u64 + u64::from(index_blocks))
        .map_err(|_| corrupt_state(directory, "more than 2^32 blocks"))?;

    let mut rebuilt = Rebuilt { state, length, writes: Vec::new(), lost };
    let mut index = DirIndex { depth, slots: vec![0; 1 << depth], ..DirIndex::empty() };
    index.chain = number(directory, &mut found, length, &mut rebuilt.writes)?;
    for leaf in &found {
        if let Some(block) = leaf.block {
            index.set(leaf.range, block);
        }
    }
    for (ordinal, &block) in index.chain.iter().enumerate() {
        rebuilt.writes.push((block, Arc::new(index.encode(ordinal))));
    }
    rebuilt.state.depth = depth;
    rebuilt.state.index_first = index.chain.first().copied().unwrap_or(0);
    rebuilt.state.index_blocks = index_blocks;
    Ok(rebuilt)
}

/// Sorts the leaves by range, refuses overlaps, adds empty leaves for what is missing.
fn fill_gaps(directory: Ino, found: &mut Vec<Found>) -> Result<Vec<(u64, u8)>> {
    found.sort_by_key(|leaf| (leaf.range.prefix, leaf.range.depth));
    let mut lost = Vec::new();
    let mut next = 0;
    for leaf in found.iter() {
        if leaf.range.prefix < next {
            let block = leaf.block.unwrap_or(0);
            return Err(At { directory, block }.corrupt("another leaf holds the same hashes"));
        }
        lose(next, leaf.range.prefix, &mut lost);
        next = leaf.range.end();
    }
    lose(next, Range::ALL.end(), &mut lost);
    if !found.is_empty() {
        let empty =
            |&(prefix, depth): &(u64, u8)| Found { block: None, range: Range { depth, prefix }, bytes: None };
        found.extend(lost.iter().map(empty));
    }
    Ok(lost)
}

/// Divides the hashes from `first` to `end` into ranges.
fn lose(mut first: u64, end: u64, lost: &mut Vec<(u64, u8)>) {
    while first < end {
        let mut bits = first.trailing_zeros().min(HASH_BITS);
        while 1 << bits > end - first {
            bits -= 1;
        }
        lost.push((first, (HASH_BITS - bits) as u8));
        first += 1 << bits;
    }
}

/// Gives every leaf a block below `length`, block 0 among them, and returns the rest for the index.
fn number(
    directory: Ino,
    found: &mut [Found],
    length: u32,
    writes: &mut Vec<(u32, BlockBytes)>,
) -> Result<Vec<u32>> {
    if !found.iter().any(|leaf| leaf.block == Some(0)) {
        // The index cannot use block 0: some leaf has to.
        if found.iter().all(|leaf| leaf.block.is_some_and(|block| block < length)) {
            if let Some(last) = found.iter_mut().max_by_key(|leaf| leaf.block) {
                last.block = None;
            }
        }
    }
    let mut taken = vec![false; length as usize];
    for leaf in found.iter_mut() {
        let Some(block) = leaf.block else { continue };
        match taken.get_mut(block as usize) {
            None => leaf.block = None,
            Some(true) => return Err(At { directory, block }.corrupt("the block is given twice")),
            Some(free) => *free = true,
        }
    }
    let mut free = (0..length).filter(|&block| !taken[block as usize]);
    for leaf in found.iter_mut().filter(|leaf| leaf.block.is_none()) {
        // As many numbers are free as leaves and index blocks want one.
        leaf.block = free.next();
        let bytes = leaf.bytes.map_or_else(|| Arc::new(edit::empty(leaf.range)), Arc::clone);
        writes.extend(leaf.block.map(|block| (block, bytes)));
    }
    Ok(free.collect())
}
