//! Enters a name: planned on one block that was read, then carried out, which cannot fail.

use super::bytes::{BlockBytes, DirBlocks, DirReads};
use super::edit;
use super::hash::{Range, cookie};
use super::index::{DirIndex, LeafRef, blocks_of_depth};
use super::leaf::{Entry, HEADER, LEAF_BYTES, Seed, entry_size};
use super::split::{Part, split};
use super::table::{DirTable, check_entry, check_name};
use crate::base::{Code, Error, Result};
use std::sync::Arc;

/// A name that will be entered into a directory as it is now: nothing that can fail is left to do.
pub struct Insertion {
    plan: Plan,
    /// Blocks that it rewrites or adds.
    pub cost: u32,
}

enum Plan {
    /// The first leaf of an empty directory, or a leaf with room.
    Fits { block: u32, bytes: BlockBytes },
    /// The leaf becomes several.
    Split { old: LeafRef, parts: Vec<Part> },
}

impl DirTable {
    /// Enters `name`. Reads one block.
    ///
    /// Errors: `Exists`; `InvalidArgument`, `NameTooLong`; `NoSpace` if the directory cannot grow: at
    /// 2^32 blocks, at the 65th name of one hash, or when names collide in so many bits of the keyed
    /// hash that parting them would blow up the index (names that share a hash fill one leaf: 64 of
    /// up to 37 bytes, 14 of 255).
    pub fn insert<B: DirBlocks + ?Sized>(
        &mut self,
        blocks: &mut B,
        name: &[u8],
        seed: Seed,
        kind: u8,
    ) -> Result<()> {
        let insertion = self.prepare_insert(blocks, name, seed, kind)?;
        self.carry_out_insert(blocks, insertion);
        Ok(())
    }

    /// Plans [`DirTable::insert`]; its errors.
    pub fn prepare_insert<B: DirReads + ?Sized>(
        &self,
        blocks: &mut B,
        name: &[u8],
        seed: Seed,
        kind: u8,
    ) -> Result<Insertion> {
        let plan = self.plan_insert(blocks, name, seed, kind)?;
        let cost = match &plan {
            Plan::Fits { .. } => 1,
            Plan::Split { old, parts } => {
                let depth = deepest(parts).max(self.state.depth);
                let index = if depth == self.state.depth {
                    self.index.ordinals_of(old.range).count() as u32
                } else {
                    blocks_of_depth(depth)
                };
                parts.len() as u32 + index
            }
        };
        Ok(Insertion { plan, cost })
    }

    /// Enters a name into the directory, which has not changed since the plan.
    pub fn carry_out_insert<B: DirBlocks + ?Sized>(&mut self, blocks: &mut B, insertion: Insertion) {
        match insertion.plan {
            Plan::Fits { block, bytes } => {
                if self.length == 0 {
                    self.index = DirIndex::single(block);
                    self.length = 1;
                    blocks.set_len(1);
                }
                blocks.write(block, bytes);
            }
            Plan::Split { old, parts } => self.apply_split(blocks, old, parts),
        }
        self.state.entries += 1;
    }

    fn plan_insert<B: DirReads + ?Sized>(
        &self,
        blocks: &mut B,
        name: &[u8],
        seed: Seed,
        kind: u8,
    ) -> Result<Plan> {
        check_name(name)?;
        check_entry(seed, kind)?;
        let hash = self.hash_of(name);
        let Some(old) = self.index.leaf_of(hash) else {
            let mut bytes = edit::empty(Range::ALL);
            edit::insert(&mut bytes, HEADER, name, &Entry { seed, kind, cookie: cookie(hash, 0) });
            return Ok(Plan::Fits { block: 0, bytes: Arc::new(bytes) });
        };
        let mut bytes = blocks.read(old.block)?;
        let leaf = self.open(&bytes, old)?;
        let survey = leaf.survey(hash, name)?;
        let Some(discriminator) = survey.discriminator else {
            return Err(Error::new(
                Code::NoSpace,
                format!("directory {}: 64 names of one hash", self.number),
            ));
        };
        let entry = Entry { seed, kind, cookie: cookie(hash, discriminator) };
        if leaf.used + entry_size(name) <= LEAF_BYTES {
            edit::insert(Arc::make_mut(&mut bytes), survey.offset, name, &entry);
            return Ok(Plan::Fits { block: old.block, bytes });
        }
        let parts = split(&leaf, survey.offset, name, &entry, self.depth_limit())?;
        let Some(parts) = parts else {
            let text = format!("directory {}: too many names whose hashes begin alike", self.number);
            return Err(Error::new(Code::NoSpace, text));
        };
        let depth = deepest(&parts).max(self.state.depth);
        let added = parts.len() as u64 - 1 + u64::from(blocks_of_depth(depth) - self.state.index_blocks);
        if u64::from(self.length) + added > u64::from(u32::MAX) {
            return Err(Error::new(Code::NoSpace, format!("directory {}: 2^32 blocks", self.number)));
        }
        Ok(Plan::Split { old, parts })
    }

    fn apply_split<B: DirBlocks + ?Sized>(&mut self, blocks: &mut B, old: LeafRef, parts: Vec<Part>) {
        let depth = deepest(&parts).max(self.state.depth);
        let deepened = depth > self.state.depth;
        let first_new = self.length;
        let index_grows = blocks_of_depth(depth) - self.state.index_blocks;
        self.length += parts.len() as u32 - 1 + index_grows;
        blocks.set_len(self.length);

        if deepened {
            self.index.deepen(depth);
            self.index.chain.extend(self.length - index_grows..self.length);
            self.state.depth = depth;
            self.state.index_first = self.index.chain[0];
            self.state.index_blocks += index_grows;
        }
        self.index.leaves_of_depth[usize::from(old.range.depth)] -= 1;
        for (number, part) in parts.into_iter().enumerate() {
            // The first part keeps the block: block 0 stays a leaf.
            let block = if number == 0 { old.block } else { first_new + number as u32 - 1 };
            self.index.leaves_of_depth[usize::from(part.range.depth)] += 1;
            self.index.set(part.range, block);
            blocks.write(block, Arc::from(part.bytes));
        }
        let changed =
            if deepened { 0..=self.index.chain.len() - 1 } else { self.index.ordinals_of(old.range) };
        self.write_index(blocks, changed);
    }

    /// Writes index blocks from memory.
    pub(super) fn write_index<B: DirBlocks + ?Sized>(
        &self,
        blocks: &mut B,
        ordinals: impl IntoIterator<Item = usize>,
    ) {
        for ordinal in ordinals {
            blocks.write(self.index.chain[ordinal], Arc::new(self.index.encode(ordinal)));
        }
    }
}

fn deepest(parts: &[Part]) -> u8 {
    parts.iter().map(|part| part.range.depth).max().unwrap_or(0)
}
