//! From a logical index to the data block that holds it (docs/format.md 4).

use super::table::BlockKey;
use crate::base::{Code, DataNumber, Error, Result};
use crate::format::{Descriptor, Stamp};
use crate::volume::Volume;
use crate::volume::inode::View;

/// Where a block stands, and how many of its like lie behind it, on the disk as in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    pub data: DataNumber,
    pub count: u64,
    /// False: preallocated, it reads as zeros.
    pub written: bool,
    /// Which copy of the blocks it is.
    pub copy: u8,
}

impl Volume {
    /// Compares the tables of every place a block may be at with their second copy: true if one was
    /// stale.
    pub(in crate::volume) fn recheck_candidates(&self, file: View<'_>, index: u64, copy: u8) -> Result<bool> {
        let mut stale = false;
        for k in 0..=file.slot.kmax() {
            if let Some((data, _)) = file.equations.run(&self.window, index, copy, k, 1) {
                stale |= self.table.recheck(data.0)?;
            }
        }
        Ok(stale)
    }

    /// The blocks that hold `key` and the indices behind it; `None`: found nowhere. `take` gets the stamps of
    /// written ones.
    pub fn locate_run(
        &self,
        file: View<'_>,
        key: BlockKey,
        max: u64,
        mut take: impl FnMut(Stamp),
    ) -> Result<Option<Extent>> {
        let extent = |data, (count, unwritten): (u64, bool)| Extent {
            data: DataNumber(data),
            count,
            written: !unwritten,
            copy: key.copy,
        };
        if let Some(data) = self.area.find(&key) {
            let run = self.table.run(data, key, 1, &mut take)?;
            if run.0 > 0 {
                return Ok(Some(extent(data, run)));
            }
        }
        for k in 0..=file.slot.kmax() {
            let run = file.equations.run(&self.window, key.index, key.copy, k, max);
            let Some((data, contiguous)) = run else { continue };
            let found = self.table.run(data.0, key, contiguous, &mut take)?;
            if found.0 > 0 {
                return Ok(Some(extent(data.0, found)));
            }
        }
        debug_assert!(key.owner == file.inode.ino);
        Ok(None)
    }

    /// The live block of one (index, copy), with its descriptor.
    pub fn locate(&self, file: View<'_>, index: u64, copy: u8) -> Result<Option<(DataNumber, Descriptor)>> {
        let key = BlockKey { owner: file.inode.ino, index, copy };
        let names_it = |data: u64| -> Result<Option<Descriptor>> {
            Ok(self.table.live(data)?.filter(|found| key.is_of(found)))
        };
        if let Some(data) = self.area.find(&key)
            && let Some(descriptor) = names_it(data)?
        {
            return Ok(Some((DataNumber(data), descriptor)));
        }
        for k in 0..=file.slot.kmax() {
            if let Some((data, _)) = file.equations.run(&self.window, index, copy, k, 1)
                && let Some(descriptor) = names_it(data.0)?
            {
                return Ok(Some((data, descriptor)));
            }
        }
        Ok(None)
    }

    /// The error for a block that should exist and is found nowhere.
    pub fn lost(&self, file: View<'_>, index: u64) -> Error {
        Error::new(
            Code::DataDamaged,
            format!("file {}, block {index}: no live block holds it; run hn4 scrub", file.inode.ino),
        )
    }
}
