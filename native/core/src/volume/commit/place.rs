//! The commit thread places delayed data: as much as there is room for, the overwrite area within its share.

use super::thread::{Committer, DATA_MAX};
use crate::base::{Code, Result};
use crate::transaction::{Closed, Transaction, cost};
use crate::volume::Volume;
use crate::volume::inode::{Inode, Locked};
use crate::volume::writeback::Share;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Transactions that emptying the overwrite area may take.
const AREA_ROUNDS: usize = 4;
/// Blocks that must have been freed before an area that could not be emptied is tried again.
const STUCK: u64 = 16;

impl Committer {
    /// Copies the overwrite area home once it is three quarters full, between transactions.
    pub(in crate::volume) fn empty_overwrites(&mut self, volume: &Volume) -> Result<()> {
        if self.is_stuck(volume) || !volume.blocks.overwrites_are_full()? {
            return Ok(());
        }
        volume.prove_last()?;
        let files = volume.overwrites_to_memory()?;
        for _ in 0..AREA_ROUNDS {
            let mut whole = true;
            for inode in &files {
                whole &= self.place_moved_out(volume, inode)?;
            }
            self.commit(volume)?;
            volume.prove_last()?;
            if whole {
                break;
            }
        }
        // Blocks without another home keep it full: the next try would cost as much and end as this one.
        self.overwrites_stuck_at = volume.blocks.overwrites_are_full()?.then(|| volume.space.live());
        Ok(())
    }

    /// Whether the area could not be emptied and too little has been freed since to try again.
    fn is_stuck(&self, volume: &Volume) -> bool {
        self.overwrites_stuck_at.is_some_and(|live| volume.space.live() + STUCK > live)
    }

    /// Gives the blocks of a file that lie in the area other places. False: room ran short.
    fn place_moved_out(&mut self, volume: &Volume, inode: &Arc<Inode>) -> Result<bool> {
        loop {
            let tx = volume.gate.enter();
            let mut file = inode.lock();
            if file.gone || file.dirty.is_empty() {
                return Ok(true);
            }
            let share = Share { max: u64::MAX, area: 0, only_area: true };
            match self.place_within_credits(volume, &tx, &mut file, share) {
                Ok(0) => return Ok(true),
                Ok(blocks) => self.placed(inode, blocks),
                Err(error) if error.code == Code::NoSpace => return Ok(false),
                Err(error) => return Err(error),
            }
        }
    }

    fn placed(&mut self, inode: &Arc<Inode>, blocks: u64) {
        self.data_blocks += blocks;
        self.in_flight.insert(inode.ino, inode.clone());
    }

    /// Places the delayed blocks of the files to be synced, or of all. False: space ran short.
    pub(in crate::volume) fn place(&mut self, volume: &Volume, all: bool) -> Result<bool> {
        let mut files = std::mem::take(&mut *volume.to_sync.lock());
        if all {
            let changed: Vec<_> = volume.changed.lock().clone();
            files.extend(changed.into_iter().map(|inode| (inode.ino, inode)));
        }
        // These first: the transaction cannot end without them.
        let first = volume.to_place_first.lock().clone();
        let mut left = first.into_iter().map(|inode| (inode.ino, inode)).chain(files);
        while let Some((ino, inode)) = left.next() {
            match self.place_file(volume, &inode) {
                Ok(()) => {}
                Err(error) if error.code == Code::NoSpace => {
                    let mut again = volume.to_sync.lock();
                    again.insert(ino, inode);
                    again.extend(left);
                    return Ok(false);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Places the delayed blocks of a file, in steps that leave room for the transaction's own metadata.
    fn place_file(&mut self, volume: &Volume, inode: &Arc<Inode>) -> Result<()> {
        loop {
            let (blocks, whole) = {
                let tx = volume.gate.enter();
                let mut file = inode.lock();
                if file.gone || file.dirty.is_empty() {
                    return Ok(());
                }
                let area = self.overwrites_share(volume)?;
                if area == 0 {
                    // Commit, empty the area, go on: as when space is short.
                    return Err(Code::NoSpace.into());
                }
                let share = Share { max: u64::MAX, area, only_area: false };
                let blocks = self.place_within_credits(volume, &tx, &mut file, share)?;
                (blocks, file.dirty.is_empty())
            };
            if blocks > 0 {
                self.placed(inode, blocks);
            }
            volume.commits.progress();
            if self.data_blocks >= DATA_MAX || volume.gate.is_full() {
                self.commit(volume)?;
            }
            if whole {
                return Ok(());
            }
        }
    }

    /// Short overwrites that the transaction may still place; no limit where the area is of no use.
    fn overwrites_share(&self, volume: &Volume) -> Result<u64> {
        if self.is_stuck(volume) {
            return Ok(u64::MAX);
        }
        let placed = volume.commits.stats.in_area.load(Ordering::Relaxed) - self.overwrites_before;
        volume.blocks.overwrites_share(placed)
    }

    /// Places delayed blocks of a file, no more than there is room for.
    fn place_within_credits(
        &mut self,
        volume: &Volume,
        tx: &Transaction<'_>,
        file: &mut Locked<'_>,
        share: Share,
    ) -> Result<u64> {
        let credits = volume.take_credits_for_data(std::mem::take(&mut file.credits))?;
        // Scattered blocks of a sparse file may each change a presence node, and those above it.
        let beside = if file.is_sparse() { 3 * volume.copies } else { 0 };
        let fits = Share { max: share.max.min((credits / (1 + beside)).max(1)), ..share };
        let placed = match volume.place_data(tx, file, &fits, &mut self.tickets) {
            Err(error) if error.code == Code::ExtensionFull => {
                volume.place_whole(tx, file, &fits, &mut self.tickets)
            }
            placed => placed,
        };
        volume.return_credits(credits)?;
        placed
    }

    /// Places what is still delayed of files that took another's place: written or renamed after `place`
    /// looked, or left over when a transaction had to end in between.
    pub(in crate::volume) fn place_first(&mut self, volume: &Volume, closed: &Closed<'_>) -> Result<()> {
        for inode in std::mem::take(&mut *volume.to_place_first.lock()) {
            let mut file = inode.lock();
            if file.gone || file.dirty.is_empty() {
                volume.return_credits(std::mem::take(&mut file.credits))?;
                continue;
            }
            // The record has an end: what does not fit follows with the next one.
            let left = (volume.gate.limit() / 2 * 3).saturating_sub(closed.cost());
            let max = left / cost::BLOCK;
            let placed = match max {
                0 => Err(Code::NoSpace.into()),
                _ => {
                    let share = Share { max, area: u64::MAX, only_area: false };
                    self.place_within_credits(volume, closed, &mut file, share)
                }
            };
            let whole = file.dirty.is_empty();
            drop(file);
            match placed {
                Ok(blocks) => self.placed(&inode, blocks),
                // Only what this transaction frees can help.
                Err(error) if error.code == Code::NoSpace => {}
                Err(error) => return Err(error),
            }
            if !whole {
                volume.sync_with_next_commit(&inode);
            }
        }
        Ok(())
    }
}
