//! Making a file durable: now, or with the transaction that gives it a name.

use crate::base::{Code, Result};
use crate::transaction::Transaction;
use crate::volume::Volume;
use crate::volume::inode::{Inode, Locked};
use std::sync::Arc;

impl Volume {
    /// Returns once the file, and everything done to names and attributes before the call, is durable: whatever
    /// waits is committed, be this file changed or not. Where nothing waits, nothing is written.
    pub fn sync_file(&self, inode: &Arc<Inode>) -> Result<()> {
        if self.options.read_only {
            return Ok(());
        }
        let has_data = !inode.share().dirty.is_empty();
        if !has_data && self.agenda.last_change() <= self.commits.durable() {
            return self.commits.check_running();
        }
        self.sync_with_next_commit(inode);
        self.request(false, false)
    }

    /// The next commit places the file's delayed data too.
    fn sync_with_next_commit(&self, inode: &Arc<Inode>) {
        self.agenda.sync(inode);
    }

    /// The file is about to take a name: the transaction will not end without its delayed data. Busy: no room for
    /// that; commit first.
    pub fn place_with_this_commit(&self, tx: &Transaction<'_>, file: &mut Locked<'_>) -> Result<()> {
        self.promise(tx, file, 0)?;
        if !std::mem::replace(&mut file.takes_name, true) {
            self.agenda.place_first(file.inode);
        }
        self.sync_with_next_commit(file.inode);
        Ok(())
    }

    /// Takes in advance what placing a file's delayed blocks and `more` will need. Busy: the running transaction
    /// has no room for them; an error changes nothing.
    pub(super) fn promise(&self, tx: &Transaction<'_>, file: &mut Locked<'_>, more: u64) -> Result<()> {
        let blocks = file.dirty.len() as u64 + more;
        if blocks == 0 {
            return Ok(());
        }
        let wanted = self.room_for(file, blocks, more > 0);
        let log = wanted.log.saturating_sub(file.promised.log);
        // Two segments a block at worst: one that it splits has two ends.
        if tx.cost() + log > self.gate.limit() || self.segment_slots(false) < 2 * blocks {
            return Err(Code::Busy.into());
        }
        // What an earlier rename took in this transaction stays with the file.
        let credits = wanted.credits.saturating_sub(file.promised.credits);
        if credits > 0 {
            file.promised.credits += self.space.take_credits(credits)?;
        }
        tx.keep(log);
        file.promised.log += log;
        Ok(())
    }
}
