//! The commit thread places delayed data: as much as there is room for, the overwrite area within its share.

use super::committer::{Committer, DATA_MAX};
use crate::base::{Code, Error, Result};
use crate::transaction::{Closed, Transaction};
use crate::volume::Volume;
use crate::volume::inode::{Inode, Locked, Promised};
use crate::volume::writeback::Share;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Blocks that must have been freed before an area that could not be emptied is tried again.
const STUCK: u64 = 16;

/// How a placement ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Placed {
    Whole,
    /// The transaction is as large as it may be: it has to end first.
    Full,
    /// Space ran short.
    Short,
}

impl Committer {
    /// Whether the area could not be emptied and too little has been freed since to try again.
    pub(super) fn is_stuck(&self, volume: &Volume) -> bool {
        self.overwrites_stuck_at.is_some_and(|live| volume.space.live() + STUCK > live)
    }

    /// Gives the blocks of a file that lie in the area other places.
    pub(super) fn place_moved_out(&mut self, volume: &Volume, inode: &Arc<Inode>) -> Result<Placed> {
        loop {
            let tx = volume.gate.enter();
            let mut file = inode.lock();
            if file.gone || file.dirty.is_empty() {
                return Ok(Placed::Whole);
            }
            let share = Share { max: u64::MAX, area: 0, only_area: true, log: volume.gate.room() };
            match self.place_within_credits(volume, &tx, &mut file, share) {
                Ok(0) => return Ok(Placed::Whole),
                Ok(blocks) => self.placed(inode, blocks),
                Err(error) if error.code == Code::NoSpace => return Ok(Placed::Short),
                Err(error) => return Err(error),
            }
            if volume.gate.is_full() {
                return Ok(Placed::Full);
            }
        }
    }

    fn placed(&mut self, inode: &Arc<Inode>, blocks: u64) {
        self.data_blocks += blocks;
        self.in_flight.insert(inode.ino, inode.clone());
    }

    /// Places the delayed blocks of the files to be synced, or of all. What is not placed is left to be synced
    /// next.
    pub(super) fn place(&mut self, volume: &Volume, all: bool) -> Result<Placed> {
        let mut files = volume.agenda.take_to_sync();
        if all {
            files.extend(volume.agenda.changed().into_iter().map(|inode| (inode.ino, inode)));
        }
        // These first: the transaction cannot end without them.
        let mut left = volume.agenda.to_place_first().into_iter().chain(files.into_values());
        while let Some(inode) = left.next() {
            let placed = self.place_file(volume, &inode)?;
            if placed != Placed::Whole {
                volume.agenda.sync_all(std::iter::once(inode).chain(left));
                return Ok(placed);
            }
        }
        Ok(Placed::Whole)
    }

    /// Places the delayed blocks of a file, in steps that leave room for the transaction's own metadata.
    fn place_file(&mut self, volume: &Volume, inode: &Arc<Inode>) -> Result<Placed> {
        loop {
            // A request may have panicked: nothing that it changed may be written.
            volume.commits.check_running()?;
            let (blocks, whole) = {
                let tx = volume.gate.enter();
                let mut file = inode.lock();
                if file.gone || file.dirty.is_empty() {
                    return Ok(Placed::Whole);
                }
                let area = self.overwrites_share(volume)?;
                if area == 0 {
                    // Commit, empty the area, go on: as when space is short.
                    return Ok(Placed::Short);
                }
                let log = volume.gate.room();
                let share = Share { max: u64::MAX, area, only_area: false, log };
                match self.place_within_credits(volume, &tx, &mut file, share) {
                    Ok(blocks) => (blocks, file.dirty.is_empty()),
                    Err(error) if error.code == Code::NoSpace => return Ok(Placed::Short),
                    Err(error) => return Err(error),
                }
            };
            if blocks > 0 {
                self.placed(inode, blocks);
            }
            volume.commits.progress();
            if self.data_blocks >= DATA_MAX || volume.gate.is_full() {
                return Ok(Placed::Full);
            }
            if whole {
                return Ok(Placed::Whole);
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
        let promised = std::mem::take(&mut file.promised);
        let credits = match volume.space.take_credits_for_data(promised.credits, volume.dirty_limit) {
            Ok(credits) => credits,
            Err(error) => {
                file.promised = Promised { credits: 0, ..promised };
                return Err(error);
            }
        };
        let each = volume.room_for(file, 1, false).credits;
        let fits = Share {
            max: share.max.min((credits / each).max(1)),
            // What it was promised counts as charged.
            log: share.log.saturating_add(promised.log),
            ..share
        };
        let placed = match volume.place_data(tx, file, &fits, &mut self.tickets) {
            Err(error) if error.code == Code::ExtensionFull => {
                volume.place_whole(tx, file, &fits, &mut self.tickets)
            }
            placed => placed,
        };
        // What a file that takes a name has still delayed keeps its share.
        let left = if file.takes_name { file.dirty.len() as u64 } else { 0 };
        let wanted = volume.room_for(file, left, false);
        file.promised = Promised {
            credits: wanted.credits.min(promised.credits).min(credits),
            log: wanted.log.min(promised.log),
        };
        tx.release(promised.log - file.promised.log);
        volume.space.return_credits(credits - file.promised.credits)?;
        placed
    }

    /// Places what is still delayed of files that took a name: written or renamed after `place` looked, or left
    /// over when a transaction had to end in between. Error: some finds no room, in spite of what was promised;
    /// then the transaction must not become durable, for it would show the name without the data.
    pub(super) fn place_first(&mut self, volume: &Volume, closed: &Closed<'_>) -> Result<NamedData> {
        for inode in volume.agenda.take_to_place_first() {
            let mut file = inode.lock();
            // Nobody finds a file again that has lost its last name.
            while !file.gone && file.slot.attributes.nlink > 0 && !file.dirty.is_empty() {
                let delayed = file.dirty.len();
                let share = Share { max: u64::MAX, area: u64::MAX, only_area: false, log: u64::MAX };
                let blocks = match self.place_within_credits(volume, closed, &mut file, share) {
                    Err(error) if error.code == Code::NoSpace => 0,
                    placed => placed?,
                };
                if blocks > 0 {
                    self.placed(&inode, blocks);
                } else if file.dirty.len() >= delayed {
                    let text = format!("file {}: its data finds no room, and it was renamed", inode.ino);
                    return Err(Error::new(Code::Io, text));
                }
            }
            file.takes_name = false;
            volume.release_promise(closed, &mut file)?;
        }
        Ok(NamedData(()))
    }
}

/// Nothing is delayed any more of files that took a name in the closed transaction: without this no record of
/// it is made.
pub(in crate::volume) struct NamedData(());
