//! The overwrite area: how full it is, and whose blocks lie there.

use super::Blocks;
use super::table::BlockKey;
use crate::base::{Ino, Result};
use std::collections::BTreeMap;

impl Blocks {
    /// Whether three quarters of the overwrite area are in use.
    pub fn overwrites_are_full(&self) -> Result<bool> {
        Ok(self.allocator.lock().area_used()? * 4 >= self.window.area_blocks() * 3)
    }

    /// Blocks that a transaction may still place in the overwrite area: a quarter of it less the `placed`
    /// ones, as far as there are free ones.
    pub fn overwrites_share(&self, placed: u64) -> Result<u64> {
        let area = self.window.area_blocks();
        let free = area - self.allocator.lock().area_used()?;
        Ok((area / 4).saturating_sub(placed).min(free))
    }

    /// Whether the key's block lies in the overwrite area.
    pub fn in_overwrites(&self, key: &BlockKey) -> bool {
        self.overwrites.find(key).is_some()
    }

    /// Whether any block of the file lies in the overwrite area.
    pub fn has_overwrites(&self, owner: Ino) -> bool {
        self.overwrites.has_any(owner)
    }

    /// The files with blocks in the overwrite area, and which.
    pub fn overwrites_by_owner(&self) -> BTreeMap<Ino, Vec<BlockKey>> {
        self.overwrites.owners()
    }

    /// The hint that leads to the file that owns a block of the overwrite area.
    pub fn overwrite_hint(&self, key: &BlockKey) -> Result<Option<u32>> {
        match self.overwrites.find(key) {
            Some(data) => Ok(self.table.live(data.0)?.map(|descriptor| descriptor.hint)),
            None => Ok(None),
        }
    }
}
