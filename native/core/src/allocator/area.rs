//! The overwrite area: filled by a moving pointer, emptied when its blocks are copied home.

use super::map::Layer;
use super::{Allocator, Run};
use crate::base::{DataNumber, Result};
use crate::format::Window;

/// State of the area; counted when first asked for.
#[derive(Default)]
pub(super) struct Area {
    /// Busy blocks of the area.
    used: Option<u64>,
    /// Where the next search begins, from the start of the area.
    pointer: u64,
}

impl Area {
    /// A run became busy, or available.
    pub fn count(&mut self, window: &Window, run: Run, busy: bool) {
        let inside = run.end().saturating_sub(run.start.0.max(window.blocks()));
        if let Some(used) = &mut self.used {
            if busy { *used += inside } else { *used -= inside }
        }
    }
}

impl Allocator {
    /// Busy blocks of the overwrite area, of [`Window::area_blocks`].
    pub fn area_used(&mut self) -> Result<u64> {
        if let Some(used) = self.area.used {
            return Ok(used);
        }
        let (from, to) = (self.window.blocks(), self.window.data_blocks());
        self.map.load_range(from, to)?;
        let used = self.map.count(Layer::Busy, from, to)?;
        self.area.used = Some(used);
        Ok(used)
    }

    /// The next available blocks of the area, at most `max`; not claimed. `None`: it is full.
    pub fn find_in_area(&mut self, max: u64) -> Result<Option<Run>> {
        let (from, to) = (self.window.blocks(), self.window.data_blocks());
        if self.area_used()? == to - from || max == 0 {
            return Ok(None);
        }
        self.searches += 1;
        let pointer = from + self.area.pointer;
        let mut found = self.map.next(pointer, to)?;
        if found.is_none() {
            found = self.map.next(from, pointer)?;
        }
        let Some(start) = found else { return Ok(None) };
        let len = self.map.run(start, to.min(start.saturating_add(max)))?;
        self.area.pointer = (start + len - from) % (to - from);
        Ok(Some(Run::new(DataNumber(start), len)))
    }
}
