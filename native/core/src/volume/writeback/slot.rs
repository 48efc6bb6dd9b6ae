//! A file's slot on its way to the cortex.

use crate::base::{DataNumber, Result};
use crate::format::layout::{self, FileState};
use crate::transaction::Closed;
use crate::volume::Volume;
use crate::volume::inode::Locked;
use crate::volume::writeback::Found;

/// Flags that announce a record in the extension chain, and that nothing but the chain bears out.
const ANNOUNCED: u64 =
    layout::DATA_CLASS_HAS_SEGMENTS | layout::DATA_CLASS_HAS_XATTR | layout::DATA_CLASS_HAS_ACL;

impl Volume {
    /// Brings a file's slot in the cortex to what is known in memory.
    pub(in crate::volume) fn write_slot(&self, closed: &Closed<'_>, file: &mut Locked<'_>) -> Result<()> {
        file.charged = false;
        if !file.slot_dirty {
            return Ok(());
        }
        self.agree(closed, file)?;
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
        if let Some(time) = file.inode.take_read_at() {
            file.slot.attributes.atime = time;
        }
        let unnamed = file.slot.attributes.nlink == 0;
        file.set(layout::DATA_CLASS_TOMBSTONE, unnamed);
        self.cortex.update(file.inode.ino, file.inode.hint, &self.encode_slot(&file.slot)?, closed)?;
        file.slot_dirty = false;
        file.leaves_overwrites = false;
        Ok(())
    }

    /// Damage leaves counts that disagree with what is there, and whoever changes such a file carries them on
    /// until its state is one that no reader takes. What follows from the rest of the slot is put right here,
    /// and said.
    fn agree(&self, closed: &Closed<'_>, file: &mut Locked<'_>) -> Result<()> {
        let counted = file.slot.attributes.blocks;
        let flags = file.slot.anchor.data_class;
        if file.slot.attributes.extension == 0 {
            file.slot.anchor.data_class &= !ANNOUNCED;
        }
        let leaving = file.slot.attributes.nlink == 0 || file.has(layout::DATA_CLASS_TRUNCATING);
        if file.equations.anchor.is_none() {
            file.slot.attributes.blocks = 0;
        } else if file.inode.is_directory() && !leaving {
            let copies = if file.equations.gravity_1.is_some() { 2 } else { 1 };
            file.slot.attributes.blocks = file.slot.anchor.mass / layout::BLOCK_SIZE * copies;
        } else if file.is_sparse() && self.presence_state(file.view())?.1 == 0 && !leaving {
            file.slot.attributes.blocks = 0;
        }
        if file.slot.attributes.blocks == 0 && file.equations.anchor.is_some() {
            let nothing = self.plan_release(closed, file.view(), Found::default(), &[])?;
            self.release(closed, file, nothing);
        }
        if (counted, flags) != (file.slot.attributes.blocks, file.slot.anchor.data_class) {
            self.reporter.line(&format!(
                "file {}: its record counted blocks or attributes that are not there ({counted} blocks, now {}); \
                 run fsck.hn4 -n",
                file.inode.ino, file.slot.attributes.blocks
            ));
        }
        Ok(())
    }
}
