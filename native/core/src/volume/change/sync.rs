//! Making a file durable: now, or with the transaction that gives it a name.

use crate::base::{Code, Result};
use crate::transaction::{Transaction, cost};
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
    pub fn sync_with_next_commit(&self, inode: &Arc<Inode>) {
        self.agenda.sync(inode);
    }

    /// The file is about to take a name of another, or a new one: the transaction will not end without its
    /// delayed data. Busy: no room for that; commit first.
    pub fn place_with_this_commit(&self, tx: &Transaction<'_>, file: &mut Locked<'_>) -> Result<()> {
        let delayed = file.dirty.len() as u64;
        if delayed > 0 {
            if tx.cost() + delayed * cost::block(self.geometry.descriptors) > self.gate.limit() {
                return Err(Code::Busy.into());
            }
            // What an earlier rename took in this transaction stays with it.
            file.credits += self.space.take_credits(delayed.saturating_sub(file.credits))?;
            tx.charge(delayed * cost::block(self.geometry.descriptors));
        }
        self.sync_with_next_commit(file.inode);
        self.agenda.place_first(file.inode);
        Ok(())
    }
}
