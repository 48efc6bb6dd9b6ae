//! A file's slot on its way to the cortex.

use crate::base::{DataNumber, Result};
use crate::format::layout::{self, FileState};
use crate::transaction::Closed;
use crate::volume::Volume;
use crate::volume::inode::Locked;
use std::sync::atomic::Ordering;

impl Volume {
    /// Brings a file's slot in the cortex to what is known in memory.
    pub(in crate::volume) fn write_slot(&self, closed: &Closed<'_>, file: &mut Locked<'_>) -> Result<()> {
        file.charged = false;
        if !file.slot_dirty {
            return Ok(());
        }
        let block_of = |data: DataNumber| self.blocks.block(data).0;
        let state = &mut **file;
        let anchor = &mut state.slot.anchor;
        let equation = state.equations.anchor;
        anchor.gravity_center = equation.map_or(0, |equation| block_of(equation.gravity));
        anchor.orbit_vector = equation.map_or(0, |equation| equation.stride);
        anchor.fractal_scale = equation.map_or(0, |equation| equation.scale);
        anchor.write_gen = closed.number() as u32;
        let gravity_1 = state.equations.gravity_1.map_or(0, block_of);
        if let Some(table) = &mut state.table {
            table.set_gravity_1(gravity_1);
            let on_disk = *table.state();
            state.slot.set_dir_state(&on_disk);
        } else if file.is_sparse() {
            let (height, root) = self.presence_state(file.view())?;
            file.slot.set_file_state(&FileState { gravity_1, height, root });
        }
        let read_at = file.inode.read_at.swap(0, Ordering::Relaxed);
        file.slot.attributes.atime = file.slot.attributes.atime.max(read_at);
        let unnamed = file.slot.attributes.nlink == 0;
        file.set(layout::DATA_CLASS_TOMBSTONE, unnamed);
        self.cortex.update(file.inode.ino, file.inode.hint, &file.slot.encode(), closed)?;
        file.slot_dirty = false;
        file.leaves_overwrites = false;
        Ok(())
    }
}
