//! Takes a name out, and merges leaves so that the directory shrinks.
//!
//! Merging is a service, not a duty: a block it would need and cannot read leaves the leaves as
//! they are, and the name is removed all the same.

use super::bytes::{BlockBytes, DirBlocks, DirReads, corrupt_state};
use super::edit;
use super::hash::Range;
use super::index::{DirIndex, LeafRef, blocks_of_depth};
use super::leaf::{Entry, LEAF_BYTES, Leaf};
use super::table::{DirTable, check_length};
use crate::base::Result;
use std::sync::Arc;

/// Two leaves become one when their entries take at most so many bytes together: half a leaf, so
/// that a merged leaf does not split again soon.
pub const MERGE_BYTES: usize = LEAF_BYTES / 2;

/// Leaves that become one.
struct Merge {
    range: Range,
    bytes: BlockBytes,
    used: usize,
    count: usize,
    /// Block and depth of each leaf that goes into it.
    members: Vec<(u32, u8)>,
}

/// What a merge does to the numbering of blocks, which stays dense.
struct Reshape {
    depth: u8,
    length: u32,
    /// Block of the merged leaf.
    target: u32,
    leaves: Vec<MovedLeaf>,
    /// Ordinal and new block of index blocks that move.
    chain: Vec<(usize, u32)>,
}

struct MovedLeaf {
    range: Range,
    to: u32,
    bytes: BlockBytes,
}

impl DirTable {
    /// Takes `name` out; `None` if it is not there. Reads the name's block, and when that is less
    /// than half full, its neighbour and the blocks that take the places of freed ones.
    pub fn remove<B: DirBlocks + ?Sized>(&mut self, blocks: &mut B, name: &[u8]) -> Result<Option<Entry>> {
        check_length(name)?;
        let hash = self.hash_of(name);
        let Some(old) = self.index.leaf_of(hash) else { return Ok(None) };
        let mut bytes = blocks.read(old.block)?;
        let leaf = self.open(&bytes, old)?;
        let Some(raw) = leaf.find_verified(hash, name)? else { return Ok(None) };
        let removed = raw.entry()?;
        if self.state.entries == 1 {
            self.verify_all_empty_but(blocks, old.block)?;
            self.clear(blocks);
            return Ok(Some(removed));
        }
        let (offset, size) = (raw.offset, raw.bytes().len());
        let (used, count) = (leaf.used - size, leaf.count - 1);
        edit::remove(Arc::make_mut(&mut bytes), offset, size);
        match self.plan_merge(blocks, old, &bytes, used, count) {
            Ok(Some((merge, reshape))) => self.apply_merge(blocks, merge, reshape),
            Ok(None) | Err(_) => blocks.write(old.block, bytes),
        }
        self.state.entries -= 1;
        Ok(Some(removed))
    }

    /// The last name goes: proves that no leaf holds another.
    fn verify_all_empty_but<B: DirReads + ?Sized>(&self, blocks: &mut B, last: u32) -> Result<()> {
        let mut hash = 0;
        while let Some(leaf_ref) = self.index.leaf_of(hash) {
            if leaf_ref.block != last {
                let bytes = blocks.read(leaf_ref.block)?;
                if self.open(&bytes, leaf_ref)?.count != 0 {
                    return Err(corrupt_state(self.number, "entries is less than the leaves hold"));
                }
            }
            hash = leaf_ref.range.end();
            if hash == Range::ALL.end() {
                break;
            }
        }
        Ok(())
    }

    fn clear<B: DirBlocks + ?Sized>(&mut self, blocks: &mut B) {
        self.index = DirIndex::empty();
        self.length = 0;
        self.state.depth = 0;
        self.state.index_first = 0;
        self.state.index_blocks = 0;
        self.state.entries = 0;
        blocks.set_len(0);
    }

    /// Joins the leaf with its other half as long as that is a leaf and they are small enough.
    fn plan_merge<B: DirReads + ?Sized>(
        &self,
        blocks: &mut B,
        old: LeafRef,
        bytes: &BlockBytes,
        used: usize,
        count: usize,
    ) -> Result<Option<(Merge, Reshape)>> {
        let mut merge = Merge {
            range: old.range,
            bytes: Arc::clone(bytes),
            used,
            count,
            members: vec![(old.block, old.range.depth)],
        };
        while merge.used <= MERGE_BYTES && merge.range.depth > 0 {
            let range = merge.range.buddy();
            if !self.index.is_one_leaf(range) {
                break;
            }
            let Some(buddy) = self.index.leaf_of(range.prefix) else { break };
            let other = blocks.read(buddy.block)?;
            let leaf = self.open(&other, LeafRef { range, ..buddy })?;
            if merge.used + leaf.used > MERGE_BYTES {
                break;
            }
            leaf.verify()?;
            let (low, high) = if merge.range.prefix < range.prefix {
                (&merge.bytes, &other)
            } else {
                (&other, &merge.bytes)
            };
            let mut joined = edit::empty(range.parent());
            for half in [low, high] {
                let (entries, count) = edit::entries(half);
                edit::append(&mut joined, entries, count);
            }
            merge.used += leaf.used;
            merge.count += leaf.count;
            merge.bytes = Arc::new(joined);
            merge.members.push((buddy.block, range.depth));
            merge.range = range.parent();
        }
        if merge.members.len() == 1 {
            return Ok(None);
        }
        if merge.range.depth == 0 && merge.count as u64 != self.state.entries - 1 {
            return Err(corrupt_state(self.number, "entries contradicts the leaves"));
        }
        let reshape = self.plan_reshape(blocks, &merge)?;
        Ok(Some((merge, reshape)))
    }

    /// Which blocks go, and which blocks from the end take their places.
    fn plan_reshape<B: DirReads + ?Sized>(&self, blocks: &mut B, merge: &Merge) -> Result<Reshape> {
        let depth = self.depth_after(merge);
        // The smallest number stays: block 0 is and remains a leaf.
        let kept = merge.members.iter().map(|&(block, _)| block).min().unwrap_or(0);
        let kept_chain = &self.index.chain[..blocks_of_depth(depth) as usize];
        let mut freed: Vec<u32> = merge.members.iter().map(|&(block, _)| block).collect();
        freed.retain(|&block| block != kept);
        freed.extend(&self.index.chain[kept_chain.len()..]);
        freed.sort_unstable();
        let length = self.length - freed.len() as u32;
        let mut reshape = Reshape { depth, length, target: kept, leaves: Vec::new(), chain: Vec::new() };
        let movers = (length..self.length).filter(|block| freed.binary_search(block).is_err());
        for (&to, from) in freed.iter().zip(movers) {
            if from == kept {
                reshape.target = to;
            } else if let Some(ordinal) = kept_chain.iter().position(|&block| block == from) {
                reshape.chain.push((ordinal, to));
            } else {
                let bytes = blocks.read(from)?;
                let range = Leaf::open(&bytes, self.at(from), None)?.range;
                if range.depth > self.state.depth
                    || self.index.leaf_of(range.prefix) != Some(LeafRef { block: from, range })
                {
                    return Err(self.at(from).corrupt("depth or prefix of the leaf contradicts the index"));
                }
                reshape.leaves.push(MovedLeaf { range, to, bytes });
            }
        }
        Ok(reshape)
    }

    /// Depth of the index after a merge. It lags one bit behind the leaves, so that a leaf that
    /// splits and merges at the greatest depth does not rewrite the whole index each time.
    fn depth_after(&self, merge: &Merge) -> u8 {
        let mut counts = self.index.leaves_of_depth;
        for &(_, depth) in &merge.members {
            counts[usize::from(depth)] -= 1;
        }
        counts[usize::from(merge.range.depth)] += 1;
        match DirIndex::deepest(&counts) {
            0 => 0,
            deepest => self.state.depth.min(deepest + 1),
        }
    }

    fn apply_merge<B: DirBlocks + ?Sized>(&mut self, blocks: &mut B, merge: Merge, reshape: Reshape) {
        for (_, depth) in merge.members {
            self.index.leaves_of_depth[usize::from(depth)] -= 1;
        }
        self.index.leaves_of_depth[usize::from(merge.range.depth)] += 1;
        let mut changed: Vec<usize> = Vec::new();
        self.index.set(merge.range, reshape.target);
        blocks.write(reshape.target, merge.bytes);
        changed.extend(self.index.ordinals_of(merge.range));
        for leaf in reshape.leaves {
            self.index.set(leaf.range, leaf.to);
            blocks.write(leaf.to, leaf.bytes);
            changed.extend(self.index.ordinals_of(leaf.range));
        }
        for (ordinal, to) in reshape.chain {
            self.index.chain[ordinal] = to;
            // The block itself, and the one that names it.
            changed.extend(ordinal.saturating_sub(1)..=ordinal);
        }
        if reshape.depth < self.state.depth {
            self.index.flatten(reshape.depth);
            self.index.chain.truncate(blocks_of_depth(reshape.depth) as usize);
            changed = (0..self.index.chain.len()).collect();
        }
        changed.sort_unstable();
        changed.dedup();
        self.length = reshape.length;
        self.state.depth = reshape.depth;
        self.state.index_first = self.index.chain.first().copied().unwrap_or(0);
        self.state.index_blocks = self.index.chain.len() as u32;
        self.write_index(blocks, changed);
        blocks.set_len(self.length);
    }
}
