//! The overwrite area empties: blocks there go home, or to where there is room.

use super::clear_behind;
use super::data::Share;
use crate::base::{Code, Ino, Result};
use crate::device::Ticket;
use crate::format::layout::FILE_BLOCKS_MAX;
use crate::transaction::Transaction;
use crate::volume::Volume;
use crate::volume::blocks::BlockKey;
use crate::volume::inode::{Inode, Locked};
use crate::volume::space::CREDIT;
use std::sync::Arc;

/// Largest file that moves as a whole to save a segment, blocks.
const WHOLE_MAX: u64 = 1024;

impl Volume {
    /// Marks everything in the overwrite area for a new place: the blocks become delayed ones (META
    /// blocks: changed ones) that may not go there again. A transaction is entered for each file; they
    /// are returned, to be placed with the next commit.
    pub(in crate::volume) fn overwrites_to_memory(&self) -> Result<Vec<Arc<Inode>>> {
        let mut files = Vec::new();
        for (owner, keys) in self.blocks.overwrites_by_owner() {
            let tx = self.gate.enter();
            let Some(inode) = self.owner_of_overwrites(owner, &keys)? else { continue };
            let mut file = inode.lock();
            // What was promised to a file that takes a name covers no more blocks: it comes the next time.
            if file.gone || file.takes_name {
                continue;
            }
            for key in keys {
                // Still there: the file may have lost the block, or got a new one, since they were listed.
                if self.blocks.in_overwrites(&key) {
                    self.to_memory(&tx, &mut file, key.index)?;
                }
            }
            file.leaves_overwrites = true;
            self.mark(&tx, &mut file);
            drop(file);
            files.push(inode);
        }
        Ok(files)
    }

    /// Places a small file as a whole, under a new G: the way when the extension region has no room for
    /// another segment. NoSpace: that is no way either.
    pub(in crate::volume) fn place_whole(
        &self,
        tx: &Transaction<'_>,
        file: &mut Locked<'_>,
        take: &Share,
        tickets: &mut Vec<Ticket>,
    ) -> Result<u64> {
        let blocks = file.slot.attributes.blocks + file.new_delayed;
        let has_nodes = !file.meta.lock().on_disk.is_empty();
        if blocks > WHOLE_MAX.min(take.max) || has_nodes {
            return Err(Code::NoSpace.into());
        }
        let end = if file.is_sparse() { FILE_BLOCKS_MAX } else { file.placed_blocks() };
        let mut at = 0;
        while let Some((first, count)) = self.next_owned(file.view(), at, end)? {
            for index in first..first + count {
                self.to_memory(tx, file, index)?;
            }
            at = first + count;
        }
        self.place_data(tx, file, &Share { area: u64::MAX, only_area: false, ..*take }, tickets).map_err(
            |error| match error.code {
                Code::ExtensionFull => Code::NoSpace.into(),
                _ => error,
            },
        )
    }

    /// Takes one block of the area into memory. One that cannot be read stays where it is: its
    /// damage is reported to whoever reads it.
    fn to_memory(&self, tx: &Transaction<'_>, file: &mut Locked<'_>, index: u64) -> Result<()> {
        if file.inode.is_meta(index) {
            // One that is gone in memory leaves the area when the transaction closes.
            let gone = file.meta.lock().removed.contains(&index);
            if gone {
                return Ok(());
            }
            // It is placed when the transaction closes: what finds no room then stays for the next time.
            let room = self.space.has_credits_for(CREDIT + 1)? && !self.gate.is_full();
            if room && let Ok(bytes) = self.meta_block(file.view(), index) {
                self.put_meta(tx, file.view(), index, bytes);
            }
            return Ok(());
        }
        if file.dirty.contains_key(&index) {
            return Ok(());
        }
        if let Ok(mut block) = self.read_block(file.view(), index) {
            clear_behind(&mut block, index, file.size);
            self.put_delayed(file, index, block, false);
        }
        Ok(())
    }

    /// The file that owns blocks of the area, found through a descriptor's hint.
    fn owner_of_overwrites(&self, owner: Ino, keys: &[BlockKey]) -> Result<Option<Arc<Inode>>> {
        if let Some(inode) = self.inodes.cached(owner) {
            return Ok(Some(inode));
        }
        for key in keys {
            let Some(hint) = self.blocks.overwrite_hint(key)? else { continue };
            return match self.inode(owner, hint) {
                Ok(inode) => Ok(Some(inode)),
                Err(error) if error.code == Code::NotFound || error.code == Code::Corrupt => {
                    self.reporter.error(&error);
                    Ok(None)
                }
                Err(error) => Err(error),
            };
        }
        Ok(None)
    }
}
