//! Changes of presence: staged node by node, then carried out at once.

use super::bits::{self, BITS};
use super::{NodeBlocks, NodeBytes, NodeReads, Presence, check_range, height_for, node_index, span};
use crate::base::{BLOCK_SIZE, Result};
use crate::format::layout::{FILE_BLOCKS_MAX, PRESENCE_BITS};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Changes of presence: nodes as they will be. Nothing shows them before [`Edit::carry_out`], which cannot
/// fail; after an error in the middle of one there is nothing to do but to drop the edit.
pub struct Edit {
    presence: Presence,
    /// `None`: gone.
    nodes: BTreeMap<u64, Option<NodeBytes>>,
    /// One node for all that become full.
    full: Option<NodeBytes>,
}

impl Presence {
    /// Makes `count` data blocks from `first` exist. Reads the nodes at both ends and those above.
    /// Errors: `FileTooLarge`, `Corrupt`.
    pub fn set_range<B: NodeBlocks + ?Sized>(
        &mut self,
        blocks: &mut B,
        first: u64,
        count: u64,
    ) -> Result<()> {
        let mut edit = Edit::of(*self);
        edit.set_range(blocks, first, count)?;
        *self = edit.carry_out(blocks);
        Ok(())
    }

    /// Makes `count` data blocks from `first` (to the end of the largest file at most) not exist.
    /// Nodes without bits go. Error: `Corrupt`.
    pub fn clear_range<B: NodeBlocks + ?Sized>(
        &mut self,
        blocks: &mut B,
        first: u64,
        count: u64,
    ) -> Result<()> {
        let mut edit = Edit::of(*self);
        edit.clear_range(blocks, first, count)?;
        *self = edit.carry_out(blocks);
        Ok(())
    }
}

impl Edit {
    /// No change yet.
    pub fn of(presence: Presence) -> Edit {
        Edit { presence, nodes: BTreeMap::new(), full: None }
    }

    /// As [`Presence::set_range`].
    pub fn set_range<B: NodeReads + ?Sized>(&mut self, blocks: &mut B, first: u64, count: u64) -> Result<()> {
        check_range(first, count)?;
        if count == 0 {
            return Ok(());
        }
        self.grow(height_for(first + count));
        let mut root = bits::from_root(self.presence.root);
        self.set(blocks, &mut root, self.presence.height, 0, first..first + count)?;
        self.presence.root = root_of(&root);
        Ok(())
    }

    /// As [`Presence::clear_range`].
    pub fn clear_range<B: NodeReads + ?Sized>(
        &mut self,
        blocks: &mut B,
        first: u64,
        count: u64,
    ) -> Result<()> {
        let end = first.saturating_add(count).min(self.presence.capacity());
        if first >= end || self.presence.root == 0 {
            return Ok(());
        }
        let mut root = bits::from_root(self.presence.root);
        self.clear(blocks, &mut root, self.presence.height, 0, first..end)?;
        self.presence.root = root_of(&root);
        Ok(())
    }

    /// Nodes that go.
    pub fn removed(&self) -> impl Iterator<Item = u64> + '_ {
        self.nodes.iter().filter(|(_, node)| node.is_none()).map(|(index, _)| *index)
    }

    /// Nodes that change or go.
    pub fn node_count(&self) -> u64 {
        self.nodes.len() as u64
    }

    /// No block exists any more.
    pub fn is_empty(&self) -> bool {
        self.presence.root == 0
    }

    /// Writes and removes the nodes; gives the new presence.
    pub fn carry_out<B: NodeBlocks + ?Sized>(self, blocks: &mut B) -> Presence {
        for (index, bytes) in self.nodes {
            match bytes {
                Some(bytes) => blocks.write(index, bytes),
                None => blocks.remove(index),
            }
        }
        let height = if self.presence.root == 0 { 0 } else { self.presence.height };
        Presence { height, ..self.presence }
    }

    fn read<B: NodeReads + ?Sized>(&self, blocks: &mut B, level: u8, number: u64) -> Result<NodeBytes> {
        match self.nodes.get(&node_index(level, number)) {
            Some(Some(bytes)) => Ok(Arc::clone(bytes)),
            _ => self.presence.read_node(blocks, level, number),
        }
    }

    /// Raises the tree: the old root becomes the first node of the new level.
    fn grow(&mut self, height: u8) {
        while self.presence.height < height {
            self.presence.height += 1;
            if self.presence.root != 0 {
                let node = Arc::new(bits::from_root(self.presence.root));
                self.nodes.insert(node_index(self.presence.height, 0), Some(node));
                self.presence.root = 1;
            }
        }
    }

    /// Sets the bits of `range` below `node`, whose bits stand for `span(level)` blocks each, the
    /// first for `base`. Tells whether `node` itself changed.
    fn set<B: NodeReads + ?Sized>(
        &mut self,
        blocks: &mut B,
        node: &mut [u8; BLOCK_SIZE],
        level: u8,
        base: u64,
        range: Range<u64>,
    ) -> Result<bool> {
        let bits = bits_of(level, base, &range);
        if level > 0 {
            for bit in bits.clone() {
                let child_base = base + bit as u64 * span(level);
                let part = child_base.max(range.start)..range.end.min(child_base + span(level));
                self.set_child(blocks, bits::get(node, bit), level, child_base, part)?;
            }
        }
        Ok(bits::put(node, bits, true))
    }

    fn set_child<B: NodeReads + ?Sized>(
        &mut self,
        blocks: &mut B,
        exists: bool,
        level: u8,
        base: u64,
        range: Range<u64>,
    ) -> Result<()> {
        let number = base / span(level);
        if level == 1 && range.end - range.start == PRESENCE_BITS {
            let full = self.full.get_or_insert_with(|| Arc::new([0xff; BLOCK_SIZE]));
            self.nodes.insert(node_index(1, number), Some(Arc::clone(full)));
            return Ok(());
        }
        let mut child = if exists { self.read(blocks, level, number)? } else { Arc::new([0; BLOCK_SIZE]) };
        if self.set(blocks, Arc::make_mut(&mut child), level - 1, base, range)? {
            self.nodes.insert(node_index(level, number), Some(child));
        }
        Ok(())
    }

    /// Clears the bits of `range` below `node`; tells whether `node` itself changed.
    fn clear<B: NodeReads + ?Sized>(
        &mut self,
        blocks: &mut B,
        node: &mut [u8; BLOCK_SIZE],
        level: u8,
        base: u64,
        range: Range<u64>,
    ) -> Result<bool> {
        let bits = bits_of(level, base, &range);
        if level == 0 {
            return Ok(bits::put(node, bits, false));
        }
        let mut changed = false;
        let mut from = bits.start;
        while let Some(bit) = bits::find(node, from..bits.end, true) {
            let child_base = base + bit as u64 * span(level);
            let part = child_base.max(range.start)..range.end.min(child_base + span(level));
            if self.clear_child(blocks, level, child_base, part)? {
                changed |= bits::put(node, bit..bit + 1, false);
            }
            from = bit + 1;
        }
        Ok(changed)
    }

    /// Tells whether the child is gone.
    fn clear_child<B: NodeReads + ?Sized>(
        &mut self,
        blocks: &mut B,
        level: u8,
        base: u64,
        range: Range<u64>,
    ) -> Result<bool> {
        let number = base / span(level);
        let index = node_index(level, number);
        if level == 1 && range.end - range.start == PRESENCE_BITS {
            self.nodes.insert(index, None);
            return Ok(true);
        }
        let mut child = self.read(blocks, level, number)?;
        let changed = self.clear(blocks, Arc::make_mut(&mut child), level - 1, base, range)?;
        let gone = bits::find(&child, 0..BITS, true).is_none();
        if changed {
            self.nodes.insert(index, (!gone).then_some(child));
        }
        Ok(gone)
    }
}

/// The root's bits, as the anchor has them.
fn root_of(root: &[u8; BLOCK_SIZE]) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&root[..8]);
    u64::from_le_bytes(word)
}

/// The bits that stand for `range` in a node whose bits mean `span(level)` blocks, the first `base`.
fn bits_of(level: u8, base: u64, range: &Range<u64>) -> Range<usize> {
    debug_assert!(range.start < range.end && range.end <= FILE_BLOCKS_MAX);
    let bit = |block: u64| ((block - base) / span(level)) as usize;
    bit(range.start)..bit(range.end - 1) + 1
}
