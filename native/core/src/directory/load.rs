//! Reads a directory's index from its blocks, and proves its shape.

use super::bytes::{At, DirReads, corrupt_state};
use super::index::{DirIndex, ENTRIES_PER_BLOCK, blocks_of_depth};
use super::leaf::LEAF_ENTRIES_MAX;
use crate::base::{BLOCK_SIZE, Ino, Result};
use crate::format::layout::{DIR_DEPTH_MAX, DIR_HEADER, DIR_INDEX, DIRECTORY_MAGIC, DirBlock, DirState};

/// The index of a directory of `length` blocks. Afterwards the runs of its slots are ranges, every
/// block is one leaf or one index block of it, and block 0 is a leaf. Memory grows only with blocks
/// that were read.
pub(super) fn load<B: DirReads + ?Sized>(
    directory: Ino,
    state: &DirState,
    length: u32,
    blocks: &mut B,
) -> Result<DirIndex> {
    let wrong = |rule: &str| Err(corrupt_state(directory, rule));
    let indexed = state.depth != 0 || state.index_first != 0 || state.index_blocks != 0;
    if length < 2 {
        if indexed {
            return wrong("a directory of less than two blocks has an index");
        }
        if (state.entries == 0) != (length == 0) {
            return wrong("entries and length: only one of them is 0");
        }
        check_entries(directory, state, length)?;
        return Ok(if length == 0 { DirIndex::empty() } else { DirIndex::single(0) });
    }
    if state.depth == 0 || u64::from(state.depth) > DIR_DEPTH_MAX {
        return wrong("depth of the index out of range");
    }
    if state.index_blocks != blocks_of_depth(state.depth) {
        return wrong("index_blocks is not the number for the depth");
    }
    let leaves = length.saturating_sub(state.index_blocks);
    if leaves < 2 || u64::from(leaves) > 1 << state.depth {
        return wrong("length does not fit depth and index_blocks");
    }
    if state.entries == 0 {
        return wrong("blocks without entries");
    }
    check_entries(directory, state, leaves)?;
    let mut index = read_chain(directory, state, length, blocks)?;
    check_shape(directory, length, &mut index)?;
    Ok(index)
}

fn check_entries(directory: Ino, state: &DirState, leaves: u32) -> Result<()> {
    if state.entries > u64::from(leaves) * LEAF_ENTRIES_MAX as u64 {
        return Err(corrupt_state(directory, "more entries than the leaves can hold"));
    }
    Ok(())
}

fn read_chain<B: DirReads + ?Sized>(
    directory: Ino,
    state: &DirState,
    length: u32,
    blocks: &mut B,
) -> Result<DirIndex> {
    let mut index = DirIndex::empty();
    index.depth = state.depth;
    let mut next = state.index_first;
    for ordinal in 0..state.index_blocks {
        // The ordinal in the block forbids loops: no block can stand at two places of the chain.
        let at = At { directory, block: next };
        if next == 0 || next >= length {
            return Err(at.corrupt("the chain of index blocks leads outside the directory"));
        }
        let bytes = blocks.read(next)?;
        let left = (1usize << state.depth) - index.slots.len();
        let header = check_index_block(&bytes, at, ordinal, left.min(ENTRIES_PER_BLOCK))?;
        let end = DIR_HEADER as usize + usize::from(header.used);
        for field in bytes[DIR_HEADER as usize..end].chunks_exact(4) {
            index.slots.push(u32::from_le_bytes([field[0], field[1], field[2], field[3]]));
        }
        index.chain.push(next);
        next = header.next;
    }
    if next != 0 {
        return Err(corrupt_state(directory, "the chain of index blocks is too long"));
    }
    Ok(index)
}

fn check_index_block(bytes: &[u8; BLOCK_SIZE], at: At, ordinal: u32, count: usize) -> Result<DirBlock> {
    let Some(header) = DirBlock::decode(bytes) else {
        return Err(at.corrupt("a reserved byte of the header is not zero"));
    };
    if u64::from(header.magic) != DIRECTORY_MAGIC {
        return Err(at.corrupt("no directory block (magic)"));
    }
    if header.kind != DIR_INDEX || header.depth != 0 || header.prefix != 0 {
        return Err(at.corrupt("an index block was expected (kind, depth, prefix)"));
    }
    if header.ordinal != ordinal {
        return Err(at.corrupt("ordinal of the index block out of order"));
    }
    if usize::from(header.count) != count || usize::from(header.used) != 4 * count {
        return Err(at.corrupt("count or used of the index block out of range"));
    }
    if bytes[DIR_HEADER as usize + 4 * count..].iter().any(|&byte| byte != 0) {
        return Err(at.corrupt("bytes behind the leaf numbers are not zero"));
    }
    Ok(header)
}

/// Checks that each leaf has one range, and that leaves and index blocks are all blocks.
fn check_shape(directory: Ino, length: u32, index: &mut DirIndex) -> Result<()> {
    // `length` is at most the number of slots and chain blocks, all of which were read.
    let mut seen = vec![0u64; (length as usize).div_ceil(64)];
    let mut claim = |block: u32| {
        let at = At { directory, block };
        if block >= length {
            return Err(at.corrupt("the index names a block outside the directory"));
        }
        let bit = 1 << (block % 64);
        if seen[block as usize / 64] & bit != 0 {
            return Err(at.corrupt("the index names the block twice"));
        }
        seen[block as usize / 64] |= bit;
        Ok(())
    };
    for &block in &index.chain {
        claim(block)?;
    }
    let slots = &index.slots;
    let mut first = 0;
    while first < slots.len() {
        let block = slots[first];
        let mut size = 1;
        while first % (2 * size) == 0
            && first + 2 * size <= slots.len()
            && slots[first + size..first + 2 * size].iter().all(|&other| other == block)
        {
            size *= 2;
        }
        claim(block)?;
        let depth = index.depth - size.trailing_zeros() as u8;
        index.leaves_of_depth[usize::from(depth)] += 1;
        first += size;
    }
    // With all numbers distinct and in range, the right count means that none is missing.
    if index.leaf_count() + index.chain.len() as u32 != length {
        return Err(corrupt_state(directory, "a block is neither leaf nor index block"));
    }
    Ok(())
}
