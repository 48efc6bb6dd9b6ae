//! Files without a name: the orphan directory, and deleting for good.
//!
//! Entries of the orphan directory come and go only while a transaction closes, so that a file that
//! is unlinked and forgotten between two commits never gets one.

use crate::base::{Code, Ino, Result};
use crate::extension::Change;
use crate::format::layout;
use crate::presence::Edit;
use crate::transaction::{Closed, Transaction};
use crate::volume::Volume;
use crate::volume::inode::{Inode, Locked, View};
use crate::volume::space::Purpose;
use crate::volume::writeback::Found;
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Deletions of one turn, between commits.
const BATCH: usize = 256;
/// Files for which the commit thread is woken. Fewer wait until it looks by itself, half a second at most: waking it
/// for one costs more than its deletion.
const DUE_FILES: usize = 128;
/// Blocks of files for which it is woken (4 MiB), on the disk or delayed.
const DUE_BLOCKS: u64 = (4 << 20) / layout::BLOCK_SIZE;

/// What a file that goes away has beside its anchor: nothing, of each type.
const NO_EXTENSION: [Change<'static>; layout::EXTENSION_SYMLINK as usize] = {
    let mut none = [Change { kind: layout::EXTENSION_SEGMENTS, payload: &[] }; 7];
    let mut at = 0;
    while at < none.len() {
        none[at].kind = layout::EXTENSION_SEGMENTS + at as u32;
        at += 1;
    }
    none
};

/// Files to be deleted for good.
#[derive(Default)]
pub struct Reaper {
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    files: Vec<Arc<Inode>>,
    /// Of the files that were added since the last turn.
    blocks: u64,
    /// There is something to go on with.
    begun: bool,
}

impl Queue {
    fn is_due(&self) -> bool {
        self.begun || self.files.len() >= DUE_FILES || self.blocks >= DUE_BLOCKS
    }
}

/// The name of a file's entry among the orphans.
fn orphan_name(number: Ino) -> Vec<u8> {
    format!("{number:016x}").into_bytes()
}

impl Reaper {
    /// Adds a file with so many blocks, which is not there yet. True: by this one the next turn is due.
    fn add(&self, inode: Arc<Inode>, blocks: u64) -> bool {
        let mut queue = self.queue.lock();
        let before = queue.is_due();
        queue.files.push(inode);
        queue.blocks += blocks;
        queue.is_due() && !before
    }
    /// A file whose turn it was, and that has to wait for another one; `at_once`: which can come now.
    fn put_back(&self, inode: Arc<Inode>, at_once: bool) {
        let mut queue = self.queue.lock();
        queue.files.push(inode);
        queue.begun |= at_once;
    }
    /// Takes the files of one turn.
    fn batch(&self) -> Vec<Arc<Inode>> {
        let mut queue = self.queue.lock();
        (queue.blocks, queue.begun) = (0, false);
        let keep = queue.files.len().saturating_sub(BATCH);
        queue.files.split_off(keep)
    }
    /// Whether the next turn is to come at once.
    pub(super) fn is_due(&self) -> bool {
        self.queue.lock().is_due()
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
            let changes = match wanted {
                true => match self.insert_entry(closed, &mut names, &name, &inode, Purpose::System) {
                    Err(error) if error.code == Code::Exists => false,
                    done => done.map(|()| true)?,
                },
                false => self.remove_entry(closed, &mut names, &name)?,
            };
            if !changes {
                // It is as wanted: the file said otherwise when it was loaded.
                self.reporter.line(&format!(
                    "file {}: its entry among the orphans was not as its record says; run fsck.hn4 -n",
                    inode.ino
                ));
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
            let blocks = file.slot.attributes.blocks + file.new_delayed;
            (file.slot.attributes.nlink == 0 && !file.gone).then_some(blocks)
        };
        if let Some(blocks) = unused
            && self.queue_for_deletion(inode.clone(), blocks)
            && !self.options.sequential
        {
            self.commits.wake();
        }
    }

    /// True: the reaper's turn is due now. System files are never deleted: reaping locks one of them beside the file.
    fn queue_for_deletion(&self, inode: Arc<Inode>, blocks: u64) -> bool {
        if inode.ino < layout::INO_FIRST {
            return false;
        }
        self.commits.nameless.fetch_add(1, Ordering::AcqRel);
        self.reaper.add(inode, blocks)
    }

    /// Deletes for good what waits for it: before somebody looks at what is free. Waits; call it without a lock.
    pub fn reap_waiting(&self) {
        if !self.options.sequential {
            self.commits.reap();
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
                // The first turn comes at once.
                Ok(inode) => drop(self.queue_for_deletion(inode, DUE_BLOCKS)),
                Err(error) => self.reporter.error(&error),
            }
        }
        Ok(count)
    }

    /// Deletes what is queued, until the transaction is full; true if there is more to do.
    pub(super) fn reap_all(&self) -> bool {
        while self.reap_some() {}
        !self.commits.is_failed() && self.commits.nameless.load(Ordering::Acquire) > 0
    }

    /// A few deletions, between commits. False: none are queued, or the transaction is full.
    pub(super) fn reap_some(&self) -> bool {
        let batch = self.reaper.batch();
        let mut progress = false;
        for inode in batch {
            let is_full = self.gate.is_full();
            let credit = match self.commits.is_failed() || is_full {
                true => Ok(None),
                false => self.space.credit(),
            };
            let reaped = match credit {
                Ok(None) => {
                    // A full transaction ends now. Credits come with a proof.
                    self.reaper.put_back(inode, is_full);
                    continue;
                }
                Ok(Some(_credit)) => self.reap(&inode),
                Err(error) => Err(error),
            };
            progress = true;
            match reaped {
                Ok(false) => {
                    self.reaper.put_back(inode, true);
                    continue;
                }
                Ok(true) => {}
                // It stays among the orphans: the next mount tries again.
                Err(error) => self.reporter.error(&error),
            }
            self.commits.nameless.fetch_sub(1, Ordering::AcqRel);
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
        self.delete(tx, file, &mut ids).inspect_err(|_| inode.doubt())
    }

    /// A slice of a deletion; true: the file is gone. An error changes nothing.
    fn delete(&self, tx: &Transaction<'_>, file: &mut Locked<'_>, ids: &mut Locked<'_>) -> Result<bool> {
        let mut found = Found::default();
        let has_data = !file.inode.is_directory() && !file.is_inline();
        if has_data && !self.find_data(&mut found, file.view(), 0)? {
            let release = self.plan_release(tx, file.view(), found, &[])?;
            self.release(tx, file, release);
            file.slot.anchor.mass = 0;
            file.size = 0;
            return Ok(false);
        }
        let meta = self.meta_of(file.view(), found.presence.as_ref());
        self.will_free_meta(&mut found, file.view(), meta)?;
        let release = self.plan_release(tx, file.view(), found, &NO_EXTENSION)?;
        let removal = self.cortex.prepare_remove(file.inode.ino, file.inode.hint)?;
        let (id, seed) = (file.slot.anchor.public_id, file.slot.seed_id());
        if id != seed {
            // The last that can fail; it is one step of its own.
            let name: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
            // Where it is gone already, nothing leads to the file that goes.
            self.remove_entry(tx, ids, name.as_bytes())?;
            self.touch_directory(tx, ids, 0);
        }
        // Nothing of it waits for an fsync any more.
        file.gone = true;
        self.release(tx, file, release);
        if !self.cortex.carry_out_remove(removal, tx) {
            file.gone = false;
            self.mark(tx, file);
            return Ok(false);
        }
        if file.orphaned {
            self.reconcile_removed_orphan(tx, file.inode);
        }
        self.space.release(std::mem::take(&mut file.meta_reserved));
        self.inodes.remove(file.inode.ino);
        Ok(true)
    }

    /// The META blocks on the disk of a file that goes away. An emptied directory owns none once its last change
    /// is committed; one that still does (damage, or a removal in this transaction) gives them back here.
    /// Presence nodes go with the last of the bits they held.
    fn meta_of(&self, file: View<'_>, edit: Option<&Edit>) -> BTreeSet<u64> {
        let meta = file.meta.lock();
        let mut indices = meta.removed.clone();
        if file.inode.is_directory() {
            let length = meta.disk_length.max(file.slot.anchor.mass / layout::BLOCK_SIZE);
            indices.extend(0..length);
        }
        indices.extend(edit.into_iter().flat_map(Edit::removed).filter(|index| meta.owns_space(*index)));
        indices
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
}

#[cfg(test)]
#[path = "reaper_tests.rs"]
mod tests;
