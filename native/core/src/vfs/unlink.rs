//! unlink and rmdir.

use super::FileSystem;
use super::check;
use super::locking::LockedSet;
use crate::base::{Code, Ino, Result, now_ns};
use crate::directory::Entry;
use crate::transaction::Transaction;
use crate::volume::{Inode, Locked};
use std::sync::Arc;

/// How often an operation looks again when names move under it before it gives up.
const RACES_MAX: usize = 64;

impl FileSystem {
    /// The entry and file of a name, before anything is locked for the change.
    pub(super) fn peek(&self, dir: &Arc<Inode>, name: &[u8]) -> Result<(Entry, Arc<Inode>)> {
        let names = self.volume.names(dir)?;
        let entry = self.volume.find_name(&names, name)?.ok_or(Code::NotFound)?;
        let inode = self.file_of(dir, &entry)?;
        Ok((entry, inode))
    }

    /// Whether the name still leads to the file that was locked for it.
    pub(super) fn still_there(&self, dir: &mut Locked<'_>, name: &[u8], seen: &Entry) -> Result<bool> {
        let now = self.volume.find_entry(dir, name)?;
        Ok(now.is_some_and(|now| now.seed.number == seen.seed.number))
    }

    /// The file may lose a name: neither it nor its directory is immutable or append-only; a
    /// directory is empty.
    pub(super) fn may_lose_name(&self, file: &mut Locked<'_>) -> Result<()> {
        check::rewritable(file)?;
        if file.inode.is_directory() {
            self.volume.load_table(file)?;
            if file.table.as_ref().is_some_and(|table| table.entries() > 0) {
                return Err(Code::NotEmpty.into());
            }
        }
        Ok(())
    }

    /// Takes one name, which was in `dir`, away from a file (its directory entry is already gone).
    pub(super) fn lose_name(&self, tx: &Transaction<'_>, file: &mut Locked<'_>, dir: &Inode) {
        let is_directory = file.inode.is_directory();
        let attributes = &mut file.slot.attributes;
        attributes.nlink = if is_directory { 0 } else { attributes.nlink.saturating_sub(1) };
        attributes.ctime = now_ns();
        if attributes.nlink == 0 {
            file.set(crate::format::layout::DATA_CLASS_TOMBSTONE, true);
            self.volume.reconcile_orphan(tx, file.inode);
        } else {
            self.loses_name_in(file, dir);
        }
        self.volume.mark(tx, file);
    }

    pub(super) fn remove_name(&self, parent: Ino, name: &[u8], want_directory: bool) -> Result<()> {
        if name == b"." {
            return Err(Code::InvalidArgument.into());
        }
        if name == b".." {
            return Err(Code::NotEmpty.into());
        }
        check::name(name)?;
        let removed = self.volume.change(|tx| self.remove_entry_of(tx, parent, name, want_directory))?;
        self.volume.reap_if_unused(&removed);
        Ok(())
    }

    /// Takes the name away and returns the file that had it.
    fn remove_entry_of(
        &self,
        tx: &Transaction<'_>,
        parent: Ino,
        name: &[u8],
        want_directory: bool,
    ) -> Result<Arc<Inode>> {
        let volume = &self.volume;
        let dir = self.directory(parent)?;
        for _ in 0..RACES_MAX {
            let (entry, inode) = self.peek(&dir, name)?;
            match (inode.is_directory(), want_directory) {
                (true, false) => return Err(Code::IsDirectory.into()),
                (false, true) => return Err(Code::NotDirectory.into()),
                _ => {}
            }
            let mut locked = LockedSet::new(&[&dir, &inode]);
            if !self.still_there(locked.of(&dir), name, &entry)? {
                continue;
            }
            check::rewritable(locked.of(&dir))?;
            self.may_lose_name(locked.of(&inode))?;
            volume.remove_entry(tx, locked.of(&dir), name)?;
            volume.touch_directory(tx, locked.of(&dir), -i64::from(want_directory));
            self.lose_name(tx, locked.of(&inode), &dir);
            drop(locked);
            return Ok(inode);
        }
        Err(Code::Busy.into())
    }
}
