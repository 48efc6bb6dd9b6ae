//! The overwrite area empties: blocks there go home, or to where there is room.

use super::Volume;
use crate::base::Result;

impl Volume {
    /// Whether three quarters of the overwrite area are in use.
    pub(super) fn area_is_full(&self) -> Result<bool> {
        Ok(self.alloc.lock().area_used()? * 4 >= self.geometry.area_blocks * 3)
    }
}
