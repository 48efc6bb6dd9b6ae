//! Questions about presence. Each descends from the root through nodes that exist.

use super::bits::{self, BITS};
use super::{NodeBytes, NodeReads, Presence, node_index, span};
use crate::base::{BLOCK_SIZE, Result};
use crate::format::layout::FILE_BLOCKS_MAX;
use std::ops::Range;

impl Presence {
    /// Whether data block `block` exists.
    pub fn exists<B: NodeReads + ?Sized>(&self, blocks: &mut B, block: u64) -> Result<bool> {
        Ok(self.next(blocks, block, true)? == block && block < FILE_BLOCKS_MAX)
    }

    /// First data block that exists at or behind `from`.
    pub fn next_data<B: NodeReads + ?Sized>(&self, blocks: &mut B, from: u64) -> Result<Option<u64>> {
        let block = self.next(blocks, from, true)?;
        Ok((block < FILE_BLOCKS_MAX).then_some(block))
    }

    /// First block at or behind `from` that does not exist; `FILE_BLOCKS_MAX` behind the last block
    /// a file can have. Reads a node for each 32,768 blocks that exist in a row.
    pub fn next_hole<B: NodeReads + ?Sized>(&self, blocks: &mut B, from: u64) -> Result<u64> {
        self.next(blocks, from, false)
    }

    /// Whether block `from` exists, and how many blocks from there on, at most `max` (at least 1),
    /// are like it.
    pub fn run<B: NodeReads + ?Sized>(&self, blocks: &mut B, from: u64, max: u64) -> Result<(bool, u64)> {
        let exists = self.exists(blocks, from)?;
        let end = from.saturating_add(max);
        Ok((exists, self.next_below(blocks, from, end, !exists)? - from))
    }

    /// Data blocks that exist in `count` blocks from `first`. Reads the nodes of that range.
    pub fn count<B: NodeReads + ?Sized>(&self, blocks: &mut B, first: u64, count: u64) -> Result<u64> {
        let end = first.saturating_add(count).min(self.capacity());
        let root = bits::from_root(self.root);
        if first >= end { Ok(0) } else { self.count_in(blocks, &root, self.height, 0, first..end) }
    }

    fn next<B: NodeReads + ?Sized>(&self, blocks: &mut B, from: u64, value: bool) -> Result<u64> {
        self.next_below(blocks, from, FILE_BLOCKS_MAX, value)
    }

    /// First block of `from..end` that exists (or does not), else `end`.
    fn next_below<B: NodeReads + ?Sized>(
        &self,
        blocks: &mut B,
        from: u64,
        end: u64,
        value: bool,
    ) -> Result<u64> {
        let known = end.min(self.capacity());
        if from < known {
            let root = bits::from_root(self.root);
            if let Some(block) = self.next_in(blocks, &root, self.height, 0, from..known, value)? {
                return Ok(block);
            }
        }
        // Behind the tree nothing exists.
        Ok(if value { end } else { end.min(known.max(from)) })
    }

    /// Searches below `node`, whose bits stand for `span(level)` blocks each, the first for `base`.
    fn next_in<B: NodeReads + ?Sized>(
        &self,
        blocks: &mut B,
        node: &[u8; BLOCK_SIZE],
        level: u8,
        base: u64,
        range: Range<u64>,
        value: bool,
    ) -> Result<Option<u64>> {
        let size = span(level);
        let mut bit = ((range.start - base) / size) as usize;
        let last = ((range.end - 1 - base) / size) as usize;
        while bit <= last {
            let first_block = (base + bit as u64 * size).max(range.start);
            if !bits::get(node, bit) {
                if !value {
                    return Ok(Some(first_block));
                }
                // On to the next child that exists.
                match bits::find(node, bit..last + 1, true) {
                    Some(next) => bit = next,
                    None => return Ok(None),
                }
                continue;
            }
            if level == 0 {
                if value {
                    return Ok(Some(first_block));
                }
                return Ok(bits::find(node, bit..last + 1, false).map(|bit| base + bit as u64));
            }
            let child_base = base + bit as u64 * size;
            let child = self.read_node(blocks, level, child_base / size)?;
            let part = first_block..range.end.min(child_base + size);
            if let Some(block) = self.next_in(blocks, &child, level - 1, child_base, part, value)? {
                return Ok(Some(block));
            }
            bit += 1;
        }
        Ok(None)
    }

    fn count_in<B: NodeReads + ?Sized>(
        &self,
        blocks: &mut B,
        node: &[u8; BLOCK_SIZE],
        level: u8,
        base: u64,
        range: Range<u64>,
    ) -> Result<u64> {
        let size = span(level);
        let mut bit = ((range.start - base) / size) as usize;
        let end = ((range.end - 1 - base) / size) as usize + 1;
        if level == 0 {
            return Ok(bits::count(node, bit..end));
        }
        let mut total = 0;
        while let Some(found) = bits::find(node, bit..end, true) {
            let child_base = base + found as u64 * size;
            let child = self.read_node(blocks, level, child_base / size)?;
            let part = child_base.max(range.start)..range.end.min(child_base + size);
            total += self.count_in(blocks, &child, level - 1, child_base, part)?;
            bit = found + 1;
        }
        Ok(total)
    }

    /// A node that a bit says exists. Error: `Corrupt` if it has no bits.
    pub(super) fn read_node<B: NodeReads + ?Sized>(
        &self,
        blocks: &mut B,
        level: u8,
        number: u64,
    ) -> Result<NodeBytes> {
        let bytes = blocks.read(node_index(level, number))?;
        match bits::find(&bytes, 0..BITS, true) {
            Some(_) => Ok(bytes),
            None => Err(self.corrupt_node(level, number)),
        }
    }
}
