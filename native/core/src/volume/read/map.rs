//! What is at an index of a file.

use crate::base::Result;
use crate::volume::Volume;
use crate::volume::blocks::{BlockKey, Extent};
use crate::volume::inode::View;

impl Volume {
    /// The extent at `index` of a placed file, at most `max` blocks long; CRCs of written blocks go to
    /// `crcs`. DataDamaged: the file should own a block here and none is found.
    pub fn extent(&self, file: View<'_>, index: u64, max: u64, crcs: &mut Vec<u32>) -> Result<Extent> {
        let max = if file.is_sparse() {
            match self.presence_run(file, index, max)? {
                (false, count) => return Ok(Extent::Hole { count }),
                (true, count) => count,
            }
        } else {
            let placed = file.placed_blocks();
            if index >= placed {
                return Ok(Extent::Hole { count: max });
            }
            max.min(placed - index)
        };
        let key = BlockKey { owner: file.inode.ino, index, copy: 0 };
        if let Some(found) = self.locate_run(file, key, max, crcs)? {
            return Ok(found);
        }
        if self.recheck_candidates(file, index, 0)?
            && let Some(found) = self.locate_run(file, key, max, crcs)?
        {
            return Ok(found);
        }
        let error = self.lost(file, index);
        self.report(&error);
        Err(error)
    }
}
