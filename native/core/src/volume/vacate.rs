//! The overwrite area empties: blocks there go home, or to where there is room.

use super::Volume;
use super::inode::{Inode, InodeState};
use super::write::clear_behind;
use crate::base::{Code, Result};
use std::sync::Arc;

impl Volume {
    /// Whether three quarters of the overwrite area are in use.
    pub(super) fn area_is_full(&self) -> Result<bool> {
        Ok(self.alloc.lock().area_used()? * 4 >= self.geometry.area_blocks * 3)
    }

    /// Marks everything in the overwrite area for a new place: the blocks become delayed ones (META
    /// blocks: changed ones) that may not go there again. Call between transactions; the files are
    /// returned, to be placed with the next commit.
    pub(super) fn vacate_area(&self) -> Result<Vec<Arc<Inode>>> {
        let mut files = Vec::new();
        for (owner, claims) in self.area.owners() {
            let _inside = self.gate.enter();
            let Some(inode) = self.owner_of_area_block(owner, &claims)? else { continue };
            let mut state = inode.state.write();
            if state.gone {
                continue;
            }
            for (index, _) in claims {
                self.lift(&inode, &mut state, index)?;
            }
            state.leave_area = true;
            self.mark(&inode, &mut state);
            drop(state);
            files.push(inode);
        }
        Ok(files)
    }

    /// Takes one block of the area into memory. One that cannot be read stays where it is: its
    /// damage is reported to whoever reads it.
    fn lift(&self, inode: &Arc<Inode>, state: &mut InodeState, index: u64) -> Result<()> {
        let is_meta = inode.is_directory() || index >= crate::format::layout::FILE_BLOCKS_MAX;
        if is_meta {
            if let Ok(bytes) = self.meta_block(inode, state, index) {
                self.put_meta(state, index, bytes);
            }
            return Ok(());
        }
        if state.dirty.contains_key(&index) {
            return Ok(());
        }
        if let Ok(mut block) = self.read_block(inode, state, index) {
            clear_behind(&mut block, index, state.size);
            self.put_delayed(state, index, block, false);
        }
        Ok(())
    }

    /// The file that owns blocks of the area, found through a descriptor's hint.
    fn owner_of_area_block(&self, owner: u64, claims: &[(u64, u8)]) -> Result<Option<Arc<Inode>>> {
        if let Some(inode) = self.inodes.cached(owner) {
            return Ok(Some(inode));
        }
        for (index, copy) in claims {
            let claim = super::blocks::Claim { owner, index: *index, copy: *copy };
            let Some(data) = self.area.find(&claim) else { continue };
            let Some(descriptor) = self.table.live(data)? else { continue };
            return match self.inode(owner, descriptor.hint) {
                Ok(inode) => Ok(Some(inode)),
                Err(error) if error.code == Code::NotFound || error.code == Code::Corrupt => {
                    self.report(&error);
                    Ok(None)
                }
                Err(error) => Err(error),
            };
        }
        Ok(None)
    }
}
