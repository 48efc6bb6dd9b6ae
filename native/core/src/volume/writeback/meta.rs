//! Placing META blocks (directory blocks, presence nodes) when a transaction closes: never in place,
//! in as many copies as the metadata.

use super::Found;
use super::data::{Placement, Wanted, join};
use crate::allocator::placement::{Burst, Growth, Write};
use crate::base::{BLOCK_SIZE, BlockBuf, Result};
use crate::device::Run as WriteRun;
use crate::transaction::{Closed, Transaction};
use crate::volume::Volume;
use crate::volume::blocks::{BlockKey, Leaving};
use crate::volume::inode::{BlockBytes, Locked, MetaBlocks};
use crate::volume::space::CREDIT;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Largest directory that moves as a whole, blocks.
const WHOLE_MAX: u64 = 256;

impl Volume {
    /// Places what changed among a file's META blocks and frees what is gone; the writes are added to
    /// `writes`.
    pub(in crate::volume) fn place_meta(
        &self,
        closed: &Closed<'_>,
        file: &mut Locked<'_>,
        writes: &mut Vec<WriteRun>,
    ) -> Result<()> {
        let dirty = {
            let meta = &mut *file.meta.lock();
            // A reader that is about to put it into memory needs no gate: such a block waits for the next commit.
            let damaged = std::mem::take(&mut meta.damaged);
            let (here, coming) = damaged.into_iter().partition(|index| meta.is_loaded(*index));
            meta.damaged = coming;
            meta.dirty.extend::<BTreeSet<u64>>(here);
            if meta.dirty.is_empty() && meta.removed.is_empty() {
                return Ok(());
            }
            if file.inode.is_directory() && self.moves_whole(meta)? {
                meta.dirty = (0..meta.length).collect();
            }
            std::mem::take(&mut meta.dirty)
        };
        file.slot_dirty = true;
        self.free_removed_meta(closed, file)?;
        let blocks: HashMap<u64, BlockBytes> = {
            let meta = file.meta.lock();
            dirty.iter().map(|i| (*i, Arc::new(BlockBuf::copy_of(meta.changed(*i))))).collect()
        };
        for copy in 0..self.copies as u8 {
            self.place_copy(closed, file, copy, dirty.iter().copied(), &blocks, writes)?;
        }
        {
            let mut meta = file.meta.lock();
            meta.on_disk.extend(dirty.iter().filter(|_| !file.inode.is_directory()));
            meta.new_blocks = 0;
            meta.placed_in = closed.number();
            if file.inode.is_directory() {
                meta.disk_length = meta.length;
            }
        }
        self.release_meta(file);
        if file.inode.is_directory() {
            file.slot.anchor.mass = file.size;
        }
        Ok(())
    }

    /// Whether a directory of which half has changed moves as a whole: under a new G all its blocks lie behind each
    /// other again. Else each would look for a place of its own, home and shell 1 being taken by the two versions
    /// before: the overwrite area, and a second write out of there.
    fn moves_whole(&self, meta: &MetaBlocks) -> Result<bool> {
        let (changed, blocks) = (meta.dirty.len() as u64, meta.length);
        if changed * 2 < blocks || changed == blocks || blocks > WHOLE_MAX {
            return Ok(false);
        }
        let in_memory = (0..blocks).all(|index| meta.is_loaded(index));
        let more = CREDIT + (blocks - changed) * self.copies;
        Ok(in_memory && self.space.has_credits_for(more)?)
    }

    /// Frees what removed META blocks own on the disk.
    fn free_removed_meta(&self, tx: &Transaction<'_>, file: &mut Locked<'_>) -> Result<()> {
        let removed = file.meta.lock().removed.clone();
        if removed.is_empty() {
            return Ok(());
        }
        let mut found = Found::default();
        self.will_free_meta(&mut found, file.view(), removed)?;
        let release = self.plan_release(tx, file.view(), found, &[])?;
        self.release(tx, file, release);
        Ok(())
    }

    fn place_copy(
        &self,
        tx: &Transaction<'_>,
        file: &mut Locked<'_>,
        copy: u8,
        dirty: impl Iterator<Item = u64>,
        blocks: &HashMap<u64, BlockBytes>,
        writes: &mut Vec<WriteRun>,
    ) -> Result<()> {
        let mut bursts = Vec::new();
        let mut old: Vec<Leaving> = Vec::new();
        let mut held = Vec::new();
        let mut new = 0;
        for index in dirty {
            let owns = file.meta.lock().owns_space(index);
            let key = BlockKey { owner: file.inode.ino, index, copy };
            let found = if owns { self.blocks.find(key, file.candidates())? } else { None };
            if let Some((data, _)) = found {
                self.blocks.prepare(data, 1, &mut held)?;
                old.push(self.blocks.prepare_free(key, data, 1)?);
            }
            // A copy lost to damage was counted all along.
            new += u64::from(!owns);
            let write = found.map_or(Write::New, |(data, _)| self.overwrite_kind(file, data));
            bursts.push(Burst { first: index, len: 1, write });
        }
        join(&mut bursts);
        let growth = if file.inode.is_directory() { Growth::Directory } else { Growth::None };
        // It was charged when they changed.
        let wanted = Wanted { copy, bursts: &bursts, growth, log: u64::MAX };
        let plan = self.plan_file(tx, file, &wanted, &mut held)?;
        let placement = Placement { copy, plan: &plan, bytes: &|index| blocks[&index].clone() };
        writes.extend(self.carry_out(tx, file, &placement)?);
        for leaving in old {
            self.blocks.free(tx, leaving);
        }
        let reserved = file.meta_reserved.min(new);
        file.meta_reserved -= reserved;
        self.space.placed(reserved);
        self.space.placed_unreserved(new - reserved);
        file.slot.attributes.blocks += new;
        debug_assert!(blocks.values().all(|block| block.len() == BLOCK_SIZE));
        Ok(())
    }
}
