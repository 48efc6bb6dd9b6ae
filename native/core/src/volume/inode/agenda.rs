//! What the next commit has to work through, file by file.

use super::Inode;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Files for the next commit. A file may stand in several lists.
#[derive(Default)]
pub struct Agenda {
    /// Their slots changed, or they have blocks to place. Who is here has `listed` set.
    changed: Mutex<Vec<Arc<Inode>>>,
    /// Their entry in the orphan directory may have to come or go.
    orphan_changes: Mutex<Vec<Arc<Inode>>>,
    /// Their delayed data goes along.
    to_sync: Mutex<BTreeMap<u64, Arc<Inode>>>,
    /// They took another's place in the running transaction, which does not end without their data.
    to_place_first: Mutex<Vec<Arc<Inode>>>,
    /// Transaction that was running when anything was last changed.
    last_change: AtomicU64,
}

impl Agenda {
    /// Something was changed in the running transaction, which is `txn`.
    pub fn note_change(&self, txn: u64) {
        // The line is shared by all changes: mostly it is up to date.
        if self.last_change.load(Ordering::Acquire) != txn {
            self.last_change.store(txn, Ordering::Release);
        }
    }
    /// The transaction of the last change, of whatever file or name; 0: none since the mount.
    pub fn last_change(&self) -> u64 {
        self.last_change.load(Ordering::Acquire)
    }

    /// Lists a changed file, once.
    pub fn list(&self, inode: &Arc<Inode>) {
        if !inode.listed.swap(true, Ordering::AcqRel) {
            self.changed.lock().push(inode.clone());
        }
    }
    /// The changed files as of now; they stay listed.
    pub fn changed(&self) -> Vec<Arc<Inode>> {
        self.changed.lock().clone()
    }
    /// Takes the changed files. Who takes them clears `listed`.
    pub fn take_changed(&self) -> Vec<Arc<Inode>> {
        std::mem::take(&mut *self.changed.lock())
    }
    /// Files that were taken and are still listed.
    pub fn keep_changed(&self, files: Vec<Arc<Inode>>) {
        self.changed.lock().extend(files);
    }

    /// The commit looks whether the file needs an entry among the orphans.
    pub fn note_orphan(&self, inode: &Arc<Inode>) {
        self.orphan_changes.lock().push(inode.clone());
    }
    pub fn take_orphans(&self) -> Vec<Arc<Inode>> {
        std::mem::take(&mut *self.orphan_changes.lock())
    }

    /// The commit takes the file's delayed data along.
    pub fn sync(&self, inode: &Arc<Inode>) {
        self.to_sync.lock().insert(inode.ino, inode.clone());
    }
    /// As [`Agenda::sync`], of many.
    pub fn sync_all(&self, files: impl IntoIterator<Item = Arc<Inode>>) {
        self.to_sync.lock().extend(files.into_iter().map(|inode| (inode.ino, inode)));
    }
    pub fn take_to_sync(&self) -> BTreeMap<u64, Arc<Inode>> {
        std::mem::take(&mut *self.to_sync.lock())
    }

    /// The transaction that runs does not end without the file's delayed data.
    pub fn place_first(&self, inode: &Arc<Inode>) {
        self.to_place_first.lock().push(inode.clone());
    }
    /// Files to be placed first; they stay where they are.
    pub fn to_place_first(&self) -> Vec<Arc<Inode>> {
        self.to_place_first.lock().clone()
    }
    pub fn take_to_place_first(&self) -> Vec<Arc<Inode>> {
        std::mem::take(&mut *self.to_place_first.lock())
    }

    /// Whether no file changed and none became or ceased to be an orphan.
    pub fn is_empty(&self) -> bool {
        self.changed.lock().is_empty() && self.orphan_changes.lock().is_empty()
    }
}
