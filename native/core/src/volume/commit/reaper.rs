//! Files without a name: the orphan directory, and deleting for good.
//!
//! Entries of the orphan directory come and go only while a transaction closes, so that a file that
//! is unlinked and forgotten between two commits never gets one.

use crate::base::{Code, Ino, Result};
use crate::format::layout;
use crate::transaction::{Closed, Transaction};
use crate::volume::Volume;
use crate::volume::inode::{Inode, Locked};
use crate::volume::space::Purpose;
use parking_lot::Mutex;
use std::sync::Arc;

/// Deletions of one turn, between commits.
const BATCH: usize = 256;

/// Files to be deleted for good.
#[derive(Default)]
pub struct Reaper {
    queue: Mutex<Vec<Arc<Inode>>>,
}

/// The name of a file's entry among the orphans.
fn orphan_name(number: Ino) -> Vec<u8> {
    format!("{number:016x}").into_bytes()
}

impl Reaper {
    /// System files are never deleted: reaping locks one of them beside the file.
    fn add(&self, inode: Arc<Inode>) {
        if inode.ino >= layout::INO_FIRST {
            self.queue.lock().push(inode);
        }
    }
    /// Takes the files of one turn.
    fn batch(&self) -> Vec<Arc<Inode>> {
        let mut queue = self.queue.lock();
        let keep = queue.len().saturating_sub(BATCH);
        queue.split_off(keep)
    }
    /// Whether all that were added are gone, or being deleted.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.lock().is_empty()
    }
}

impl Volume {
    /// Brings the orphan directory in step with the files.
    pub(super) fn reconcile_orphans(&self, closed: &Closed<'_>) -> Result<()> {
        let files = self.agenda.take_orphans();
        if files.is_empty() {
            return Ok(());
        }
        let dir = self.inode(layout::INO_ORPHANS, 0)?;
        let mut names = dir.lock();
        let mut changed = false;
        for inode in files {
            let mut file = inode.lock();
            let waiting = file.slot.attributes.nlink == 0 || file.has(layout::DATA_CLASS_TRUNCATING);
            let wanted = waiting && !file.gone;
            if wanted == file.orphaned {
                continue;
            }
            let name = orphan_name(inode.ino);
            let done = match wanted {
                true => self.insert_entry(closed, &mut names, &name, &inode, Purpose::System),
                false => self.remove_entry(closed, &mut names, &name),
            };
            match done {
                // It is as wanted: the file said otherwise when it was loaded.
                Err(error) if matches!(error.code, Code::Exists | Code::NotFound) => {
                    self.reporter.line(&format!(
                        "file {}: its entry among the orphans was not as its record says; run fsck.hn4 -n",
                        inode.ino
                    ))
                }
                done => done?,
            }
            file.orphaned = wanted;
            changed = true;
        }
        if changed {
            self.touch_directory(closed, &mut names, 0);
        }
        Ok(())
    }

    /// Queues a file for deletion if it has neither names nor users.
    pub fn reap_if_unused(&self, inode: &Arc<Inode>) {
        if self.options.read_only || self.inodes.is_held(inode.ino) {
            return;
        }
        let unused = {
            let file = inode.share();
            file.slot.attributes.nlink == 0 && !file.gone
        };
        if unused {
            self.reaper.add(inode.clone());
            if !self.options.sequential {
                self.commits.wake();
            }
        }
    }

    /// At mount: files that a crash left among the orphans. An entry that nobody of ours can have made is left
    /// alone, and said.
    pub(in crate::volume) fn adopt_orphans(&self) -> Result<u64> {
        let dir = self.inode(layout::INO_ORPHANS, 0)?;
        let mut found = Vec::new();
        let mut foreign = Vec::new();
        self.iterate(&self.names(&dir)?, 0, &mut |entry, name| {
            let number = entry.seed.number;
            let ours = number >= layout::INO_FIRST && name == orphan_name(number);
            if ours {
                found.push(*entry)
            } else {
                foreign.push(number)
            }
            true
        })?;
        for number in foreign {
            self.reporter.line(&format!("an entry among the orphans names file {number}: run fsck.hn4 -n"));
        }
        let count = found.len() as u64;
        for entry in found {
            match self.inode_of_entry(layout::INO_ORPHANS, &entry) {
                Ok(inode) => self.reaper.add(inode),
                Err(error) => self.reporter.error(&error),
            }
        }
        Ok(count)
    }

    /// Deletes what is queued, until the transaction is full; true if there is more to do.
    pub(super) fn reap_all(&self) -> bool {
        while self.reap_some() {}
        !self.commits.is_failed() && !self.reaper.is_empty()
    }

    /// A few deletions, between commits. False: none are queued, or the transaction is full.
    pub(super) fn reap_some(&self) -> bool {
        let batch = self.reaper.batch();
        let mut progress = false;
        for inode in batch {
            let credit = match self.commits.is_failed() || self.gate.is_full() {
                true => Ok(None),
                false => self.space.credit(),
            };
            let reaped = match credit {
                Ok(None) => {
                    self.reaper.add(inode);
                    continue;
                }
                Ok(Some(_credit)) => self.reap(&inode),
                Err(error) => Err(error),
            };
            progress = true;
            match reaped {
                Ok(true) => {}
                Ok(false) => self.reaper.add(inode),
                // It stays among the orphans: the next mount tries again.
                Err(error) => self.reporter.error(&error),
            }
        }
        progress
    }

    /// One slice of a deletion or of a truncation that a crash interrupted; true: done.
    fn reap(&self, inode: &Arc<Inode>) -> Result<bool> {
        let tx = &self.gate.enter();
        // The public id's entry goes with the file; its directory has the lower number.
        let ids = self.inode(layout::INO_PUBLIC_IDS, 0)?;
        let mut ids = ids.lock();
        let file = &mut inode.lock();
        if file.gone || self.inodes.is_held(inode.ino) && file.slot.attributes.nlink == 0 {
            return Ok(true);
        }
        if file.slot.attributes.nlink > 0 {
            return self.reap_truncation(tx, file);
        }
        let indices: Vec<u64> = file.dirty.keys().copied().collect();
        for index in indices {
            self.drop_delayed(file, index);
        }
        file.in_flight.clear();
        if !self.free_everything(tx, file)? {
            self.mark(tx, file);
            return Ok(false);
        }
        self.drop_chain(tx, file)?;
        let (id, seed) = (file.slot.anchor.public_id, file.slot.seed_id());
        if id != seed {
            let name: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
            match self.remove_entry(tx, &mut ids, name.as_bytes()) {
                Err(error) if error.code != Code::NotFound => return Err(error),
                // Gone already: nothing leads to the file that goes.
                _ => self.touch_directory(tx, &mut ids, 0),
            }
        }
        self.cortex.remove(inode.ino, inode.hint, tx)?;
        file.gone = true;
        if file.orphaned {
            self.reconcile_removed_orphan(tx, inode);
        }
        self.space.release(std::mem::take(&mut file.meta_reserved));
        self.inodes.remove(inode.ino);
        Ok(true)
    }

    fn reap_truncation(&self, tx: &Transaction<'_>, file: &mut Locked<'_>) -> Result<bool> {
        if file.has(layout::DATA_CLASS_TRUNCATING) {
            return self.free_truncated(tx, file);
        }
        if file.orphaned {
            self.reconcile_orphan(tx, file.inode);
        }
        Ok(true)
    }

    /// All blocks of a file, a slice at a time.
    fn free_everything(&self, tx: &Transaction<'_>, file: &mut Locked<'_>) -> Result<bool> {
        if file.inode.is_directory() {
            return self.free_directory(tx, file);
        }
        if !file.is_inline() && !self.free_from(tx, file, 0)? {
            file.slot.anchor.mass = 0;
            file.size = 0;
            return Ok(false);
        }
        // Presence nodes go with the last of the bits they held.
        self.free_removed_meta(tx, file)?;
        Ok(true)
    }

    /// An emptied directory owns no block once its last change is committed; one that still does
    /// (damage, or a removal in this transaction) gives them back here.
    fn free_directory(&self, tx: &Transaction<'_>, file: &mut Locked<'_>) -> Result<bool> {
        {
            let mut meta = file.meta.lock();
            let length = meta.disk_length.max(file.slot.anchor.mass / layout::BLOCK_SIZE);
            for index in 0..length {
                meta.removed.insert(index);
            }
            meta.dirty.clear();
            meta.damaged.clear();
        }
        self.free_removed_meta(tx, file)?;
        Ok(true)
    }
}
