//! Files without a name: the orphan directory, and deleting for good.
//!
//! Entries of the orphan directory come and go only while a transaction closes, so that a file that
//! is unlinked and forgotten between two commits never gets one.

use crate::base::Result;
use crate::format::layout;
use crate::volume::Volume;
use crate::volume::inode::{Inode, InodeState};
use crate::volume::space::Purpose;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Volume {
    /// The next commit looks whether the file needs an entry among the orphans.
    pub fn reconcile_orphan(&self, inode: &Arc<Inode>) {
        self.orphan_changes.lock().push(inode.clone());
        // A leaf of the orphan directory, and its split.
        self.room.add_meta(2 * self.copies);
    }

    /// Brings the orphan directory in step with the files. Call while no operation runs.
    pub(in crate::volume) fn reconcile_orphans(&self) -> Result<()> {
        let files = std::mem::take(&mut *self.orphan_changes.lock());
        if files.is_empty() {
            return Ok(());
        }
        let dir = self.inode(layout::INO_ORPHANS, 0)?;
        let mut names = dir.state.write();
        let mut changed = false;
        for inode in files {
            let mut state = inode.state.write();
            let waiting = state.slot.attributes.nlink == 0 || state.has(layout::DATA_CLASS_TRUNCATING);
            let wanted = waiting && !state.gone;
            if wanted == state.orphaned {
                continue;
            }
            let name = format!("{:016x}", inode.ino);
            if wanted {
                self.insert_entry(&dir, &mut names, name.as_bytes(), &inode, Purpose::System)?;
            } else {
                self.remove_entry(&dir, &mut names, name.as_bytes())?;
            }
            state.orphaned = wanted;
            changed = true;
        }
        if changed {
            self.touch_directory(&dir, &mut names, 0);
        }
        Ok(())
    }

    /// Queues a file for deletion if it has neither names nor users.
    pub fn reap_if_unused(&self, inode: &Arc<Inode>) {
        if self.options.read_only || self.inodes.is_held(inode.ino) {
            return;
        }
        let unused = {
            let state = inode.state.read();
            state.slot.attributes.nlink == 0 && !state.gone
        };
        if unused {
            self.to_reap.lock().push(inode.clone());
            if !self.options.sequential {
                self.commit_wanted.notify_one();
            }
        }
    }

    /// At mount: files that a crash left among the orphans.
    pub(in crate::volume) fn adopt_orphans(&self) -> Result<u64> {
        let dir = self.inode(layout::INO_ORPHANS, 0)?;
        self.load_table(&dir)?;
        let mut found = Vec::new();
        self.iterate(&dir, &dir.state.read(), 0, &mut |entry, _| {
            found.push(entry.seed);
            true
        })?;
        let count = found.len() as u64;
        for seed in found {
            match self.inode(seed.number, seed.hint) {
                Ok(inode) => self.to_reap.lock().push(inode),
                Err(error) => self.report(&error),
            }
        }
        Ok(count)
    }

    /// Deletes what is queued, until the transaction is full; true if there is more to do.
    pub(in crate::volume) fn reap_all(&self) -> bool {
        while self.reap_some() {}
        !self.failed.load(Ordering::Acquire) && !self.to_reap.lock().is_empty()
    }

    /// A few deletions, between commits. False: none are queued, or the transaction is full.
    pub(in crate::volume) fn reap_some(&self) -> bool {
        let batch: Vec<_> = {
            let mut to_reap = self.to_reap.lock();
            let keep = to_reap.len().saturating_sub(256);
            to_reap.split_off(keep)
        };
        let mut progress = false;
        for inode in batch {
            let credit = match self.failed.load(Ordering::Acquire) || self.transaction_is_full() {
                true => Ok(None),
                false => self.credit(),
            };
            let reaped = match credit {
                Ok(None) => {
                    self.to_reap.lock().push(inode);
                    continue;
                }
                Ok(Some(_credit)) => self.reap(&inode),
                Err(error) => Err(error),
            };
            progress = true;
            match reaped {
                Ok(true) => {}
                Ok(false) => self.to_reap.lock().push(inode),
                // It stays among the orphans: the next mount tries again.
                Err(error) => self.report(&error),
            }
        }
        progress
    }

    /// Whether the record has grown as long as it may.
    pub(in crate::volume) fn transaction_is_full(&self) -> bool {
        self.pages.log_cost() >= self.log_limit
    }

    /// One slice of a deletion or of a truncation that a crash interrupted; true: done.
    fn reap(&self, inode: &Arc<Inode>) -> Result<bool> {
        let _inside = self.gate.enter();
        // The public id's entry goes with the file; its directory has the lower number.
        let ids = self.inode(layout::INO_PUBLIC_IDS, 0)?;
        let mut ids_state = ids.state.write();
        let mut state = inode.state.write();
        let state = &mut *state;
        if state.gone || self.inodes.is_held(inode.ino) && state.slot.attributes.nlink == 0 {
            return Ok(true);
        }
        if state.slot.attributes.nlink > 0 {
            return self.reap_truncation(inode, state);
        }
        let indices: Vec<u64> = state.dirty.keys().copied().collect();
        for index in indices {
            self.drop_delayed(state, index);
        }
        state.in_flight.clear();
        if !self.free_everything(inode, state)? {
            self.mark(inode, state);
            return Ok(false);
        }
        self.drop_chain(inode, state)?;
        let (id, seed) = (state.slot.anchor.public_id, state.slot.seed_id());
        if id != seed {
            let name: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
            self.remove_entry(&ids, &mut ids_state, name.as_bytes())?;
            self.touch_directory(&ids, &mut ids_state, 0);
        }
        self.cortex.remove(inode.ino, inode.hint)?;
        state.gone = true;
        if state.orphaned {
            self.reconcile_orphan(inode);
        }
        self.space.release(std::mem::take(&mut state.meta_reserved));
        inode.changed.store(self.pages.running(), Ordering::Release);
        self.inodes.remove(inode.ino);
        Ok(true)
    }

    fn reap_truncation(&self, inode: &Arc<Inode>, state: &mut InodeState) -> Result<bool> {
        if !state.has(layout::DATA_CLASS_TRUNCATING) {
            if state.orphaned {
                self.reconcile_orphan(inode);
            }
            return Ok(true);
        }
        let keep = state.placed_blocks();
        let done = self.free_from(inode, state, keep)?;
        if done {
            state.set(layout::DATA_CLASS_TRUNCATING, false);
            self.reconcile_orphan(inode);
        }
        self.mark(inode, state);
        Ok(done)
    }

    /// All blocks of a file, a slice at a time.
    fn free_everything(&self, inode: &Arc<Inode>, state: &mut InodeState) -> Result<bool> {
        if inode.is_directory() {
            return self.free_directory(inode, state);
        }
        if !state.is_inline() && !self.free_from(inode, state, 0)? {
            state.slot.anchor.mass = 0;
            state.size = 0;
            return Ok(false);
        }
        // Presence nodes go with the last of the bits they held.
        self.free_removed_meta(inode, state)?;
        Ok(true)
    }

    /// An emptied directory owns no block once its last change is committed; one that still does
    /// (damage, or a removal in this transaction) gives them back here.
    fn free_directory(&self, inode: &Arc<Inode>, state: &mut InodeState) -> Result<bool> {
        {
            let mut meta = state.meta.lock();
            let length = meta.disk_length.max(state.slot.anchor.mass / layout::BLOCK_SIZE);
            for index in 0..length {
                meta.removed.insert(index);
            }
            meta.dirty.clear();
            meta.damaged.clear();
        }
        self.free_removed_meta(inode, state)?;
        Ok(true)
    }
}
