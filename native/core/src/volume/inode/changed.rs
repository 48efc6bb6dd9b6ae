//! What the next commit has to look at: files whose slots changed, files that may become or cease to be
//! orphans.

use super::{Inode, Locked};
use crate::base::Ino;
use crate::format::{PageBytes, Region, layout};
use crate::transaction::{Transaction, cost};
use crate::volume::Volume;
use std::sync::Arc;

impl Volume {
    /// Marks a file for the commit of this transaction. One that is gone has no slot to be written.
    pub fn mark(&self, tx: &Transaction<'_>, file: &mut Locked<'_>) {
        if file.gone {
            return;
        }
        file.slot_dirty = true;
        if !std::mem::replace(&mut file.charged, true) {
            tx.charge(cost::LISTED + self.base_of_slot(tx, file.inode));
        }
        self.agenda.note_change(tx.number());
        self.agenda.list(file.inode);
    }

    /// Log bytes of the page that the file's slot stands on: where metadata has one copy, its first change since a
    /// checkpoint takes it to the log whole.
    fn base_of_slot(&self, tx: &Transaction<'_>, inode: &Inode) -> u64 {
        if self.copies > 1 {
            return 0;
        }
        let homes = self.cortex.homes(inode.ino, inode.hint);
        let here = [homes.h1, homes.h2]
            .into_iter()
            .filter_map(|page| self.pages.if_cached(Region::Cortex, page))
            .find(|page| page.with(|bytes| holds(bytes, inode.ino)));
        match here {
            Some(page) => page.charge_base(tx.number()),
            // In the stash, or to be read again.
            None => cost::PAGE,
        }
    }

    /// Notes that a file was read at `now`, ns. True: readers are so far ahead of the commits that this one has to
    /// help, once it holds no lock: [`Volume::catch_up_on_read_times`].
    pub(in crate::volume) fn set_read_time(&self, inode: &Inode, now: i64) -> bool {
        if self.commits.check_open().is_err() {
            // It would never be written, and only keep the inode in memory.
            return false;
        }
        let waiting = &self.inodes.read_times;
        if inode.note_read_at(now) {
            waiting.add(inode.ino);
            if waiting.are_many() && !self.options.sequential {
                self.commits.wake();
            }
        }
        waiting.are_too_many()
    }

    /// Waits while the running transaction has no room, then folds a slice into it. Call without any lock.
    pub(in crate::volume) fn catch_up_on_read_times(&self) {
        // Where that fails the volume has stopped, and folding drops the times.
        let _ = self.throttle();
        self.fold_read_times();
    }

    /// A slice of the times of reads goes into the slots of its files, which the next commit writes: at most half of
    /// what a record may hold.
    pub(in crate::volume) fn fold_read_times(&self) {
        let tx = self.gate.enter();
        let mut numbers = self.inodes.read_times.take().into_iter();
        for ino in numbers.by_ref() {
            let Some(inode) = self.inodes.cached(ino) else { continue };
            if self.commits.is_failed() {
                inode.take_read_at();
            }
            if inode.read_at().is_none() {
                continue;
            }
            let mut file = inode.lock();
            if !file.gone && file.slot.attributes.nlink > 0 {
                self.mark(&tx, &mut file);
            }
            if tx.cost() >= self.gate.limit() / 2 {
                break;
            }
        }
        self.inodes.read_times.put_back(numbers);
    }

    /// The commit of this transaction looks whether the file needs an entry among the orphans.
    pub fn reconcile_orphan(&self, tx: &Transaction<'_>, inode: &Arc<Inode>) {
        self.agenda.note_change(tx.number());
        self.reconcile_removed_orphan(tx, inode);
    }

    /// As [`Volume::reconcile_orphan`], of a file that is deleted for good: nobody can find it, so no fsync waits
    /// for that.
    pub fn reconcile_removed_orphan(&self, _: &Transaction<'_>, inode: &Arc<Inode>) {
        self.agenda.note_orphan(inode);
        // A leaf of the orphan directory, and its split.
        self.space.add_meta(2 * self.copies);
    }
}

/// Whether a slot of the page has this number.
fn holds(page: &PageBytes, number: Ino) -> bool {
    let slots = page[..layout::PAGE_PAYLOAD as usize].chunks_exact(layout::SLOT_SIZE as usize);
    slots.into_iter().any(|slot| slot[..8] == number.to_le_bytes())
}
