//! What the next commit has to look at: files whose slots changed, files that may become or cease to be
//! orphans.

use super::{Inode, Locked};
use crate::transaction::{Transaction, cost};
use crate::volume::Volume;
use std::sync::Arc;

impl Volume {
    /// Marks a file for the commit of this transaction.
    pub fn mark(&self, tx: &Transaction<'_>, file: &mut Locked<'_>) {
        file.slot_dirty = true;
        if !std::mem::replace(&mut file.charged, true) {
            tx.charge(cost::LISTED);
        }
        self.agenda.note_change(tx.number());
        self.agenda.list(file.inode);
    }

    /// Times of reads that wait in memory go into the slots.
    pub(in crate::volume) fn fold_read_times(&self) {
        let tx = self.gate.enter();
        for inode in self.inodes.with_read_times() {
            let mut file = inode.lock();
            if !file.gone && file.slot.attributes.nlink > 0 {
                self.mark(&tx, &mut file);
            }
        }
    }

    /// The commit of this transaction looks whether the file needs an entry among the orphans.
    pub fn reconcile_orphan(&self, tx: &Transaction<'_>, inode: &Arc<Inode>) {
        self.agenda.note_change(tx.number());
        self.agenda.note_orphan(inode);
        // A leaf of the orphan directory, and its split.
        self.space.add_meta(2 * self.copies);
    }
}
