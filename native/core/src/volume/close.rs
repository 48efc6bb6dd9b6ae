//! Closing a volume, and the file's slot on its way to the cortex.

use crate::base::{Code, DataNumber, Error, Result};
use crate::format::layout::{self, FileState};
use crate::volume::Volume;
use crate::volume::inode::{Inode, InodeState};
use std::sync::atomic::Ordering;

impl Volume {
    /// Commits everything, writes it home and ends the threads; later changes are refused. Reads of
    /// open files still work.
    pub fn close(&self) -> Result<()> {
        if self.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        if !self.options.read_only {
            let mut state = self.commit.lock();
            state.stop = true;
            self.commit_wanted.notify_all();
        }
        let threads = std::mem::take(&mut *self.threads.lock());
        let mut threads = threads.into_iter();
        // The commit thread finishes first: its last commit may still need a checkpoint.
        if let Some(commit) = threads.next() {
            let _ = commit.join();
        }
        self.stop_checkpoints();
        for thread in threads {
            let _ = thread.join();
        }
        match self.commit.lock().error.clone() {
            Some(error) => Err(Error::new(Code::Io, format!("the volume was not closed cleanly: {error}"))),
            None => Ok(()),
        }
    }

    /// Times of reads that wait in memory go into the slots.
    pub(super) fn fold_read_times(&self) {
        for inode in self.inodes.with_read_times() {
            let mut state = inode.state.write();
            if !state.gone && state.slot.attributes.nlink > 0 {
                self.mark(&inode, &mut state);
            }
        }
    }

    /// Brings a file's slot in the cortex to what is known in memory. Call while no operation runs.
    pub(super) fn write_slot(&self, inode: &Inode, state: &mut InodeState) -> Result<()> {
        state.charged = false;
        if !state.slot_dirty {
            return Ok(());
        }
        let block_of = |data: DataNumber| self.window.block(data).0;
        let anchor = &mut state.slot.anchor;
        let equation = state.equations.anchor;
        anchor.gravity_center = equation.map_or(0, |equation| block_of(equation.gravity));
        anchor.orbit_vector = equation.map_or(0, |equation| equation.stride);
        anchor.fractal_scale = equation.map_or(0, |equation| equation.scale);
        anchor.write_gen = self.pages.running() as u32;
        let gravity_1 = state.equations.gravity_1.map_or(0, block_of);
        if let Some(table) = &mut state.table {
            table.set_gravity_1(gravity_1);
            let on_disk = *table.state();
            state.slot.set_dir_state(&on_disk);
        } else if state.is_sparse() {
            let (height, root) = self.presence_state(inode, state)?;
            state.slot.set_file_state(&FileState { gravity_1, height, root });
        }
        let read_at = inode.read_at.swap(0, Ordering::Relaxed);
        state.slot.attributes.atime = state.slot.attributes.atime.max(read_at);
        let unnamed = state.slot.attributes.nlink == 0;
        state.set(layout::DATA_CLASS_TOMBSTONE, unnamed);
        self.cortex.update(inode.ino, inode.hint, &state.slot.encode())?;
        state.slot_dirty = false;
        state.leaves_overwrites = false;
        Ok(())
    }
}
