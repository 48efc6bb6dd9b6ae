//! From a logical index to the data block that holds it (docs/format.md 4).

use super::Blocks;
use super::table::BlockKey;
use crate::base::{Code, DataNumber, Error, Ino, Result};
use crate::format::{Descriptor, Equations, Stamp};

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

/// Where the blocks of a file can be: at shell 0 to `kmax` of its equations.
#[derive(Clone, Copy)]
pub struct Candidates<'a> {
    pub equations: &'a Equations,
    pub kmax: u8,
}

impl Blocks {
    /// The candidates for `key` in the order of search, each with how many blocks behind it are candidates
    /// for the indices behind the key's (at most `max`).
    fn candidates<'a>(
        &'a self,
        key: BlockKey,
        file: Candidates<'a>,
        max: u64,
    ) -> impl Iterator<Item = (DataNumber, u64)> + 'a {
        let of_shell = move |k| file.equations.run(&self.window, key.index, key.copy, k, max);
        (0..=file.kmax).filter_map(of_shell)
    }

    /// The blocks that hold `key` and the indices behind it, at most `max`; `None`: found nowhere. `take`
    /// gets the stamps of written ones.
    pub fn find_run(
        &self,
        key: BlockKey,
        file: Candidates,
        max: u64,
        mut take: impl FnMut(Stamp),
    ) -> Result<Option<Extent>> {
        let in_overwrites = self.overwrites.find(&key).map(|data| (data, 1));
        for (data, max) in in_overwrites.into_iter().chain(self.candidates(key, file, max)) {
            let (count, unwritten) = self.table.run(data.0, key, max, &mut take)?;
            if count > 0 {
                return Ok(Some(Extent { data, count, written: !unwritten, copy: key.copy }));
            }
        }
        Ok(None)
    }

    /// The live block of a key, with its descriptor.
    pub fn find(&self, key: BlockKey, file: Candidates) -> Result<Option<(DataNumber, Descriptor)>> {
        let in_overwrites = self.overwrites.find(&key);
        for data in in_overwrites.into_iter().chain(self.candidates(key, file, 1).map(|(data, _)| data)) {
            if let Some(descriptor) = self.table.live(data.0)?.filter(|found| key.is_of(found)) {
                return Ok(Some((data, descriptor)));
            }
        }
        Ok(None)
    }

    /// Compares the tables of every place a block may be at with their second copy. True: one was stale, and
    /// looking again may find the block.
    pub fn recheck(&self, key: BlockKey, file: Candidates) -> Result<bool> {
        let mut stale = false;
        for (data, _) in self.candidates(key, file, 1) {
            stale |= self.table.recheck(data.0)?;
        }
        Ok(stale)
    }
}

/// The error for a block that should exist and is found nowhere.
pub fn lost(owner: Ino, index: u64) -> Error {
    Error::new(
        Code::DataDamaged,
        format!("file {owner}, block {index}: no live block holds it; run hn4 scrub"),
    )
}
