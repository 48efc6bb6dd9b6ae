//! unlink and rmdir.

use super::FileSystem;
use super::check;
use super::locking::Locked;
use crate::base::{Code, Ino, Result, now_ns};
use crate::directory::Entry;
use crate::volume::{Inode, InodeState};
use std::sync::Arc;

/// How often an operation looks again when names move under it before it gives up.
const RACES_MAX: usize = 64;

impl FileSystem {
    /// The entry and file of a name, before anything is locked for the change.
    pub(super) fn peek(&self, dir: &Arc<Inode>, name: &[u8]) -> Result<(Entry, Arc<Inode>)> {
        self.volume.load_table(dir)?;
        let state = dir.state.read();
        let entry = self.volume.find_entry(dir, &state, name)?.ok_or(Code::NotFound)?;
        let inode = self.file_of(dir, &entry)?;
        Ok((entry, inode))
    }

    /// Whether the name still leads to the file that was locked for it.
    pub(super) fn still_there(
        &self,
        dir: &Arc<Inode>,
        state: &mut InodeState,
        name: &[u8],
        seen: &Entry,
    ) -> Result<bool> {
        self.volume.load_table_locked(dir, state)?;
        let now = self.volume.find_entry(dir, state, name)?;
        Ok(now.is_some_and(|now| now.seed.number == seen.seed.number))
    }

    /// The file may lose a name: neither it nor its directory is immutable or append-only; a
    /// directory is empty.
    pub(super) fn may_lose_name(&self, state: &mut InodeState, inode: &Arc<Inode>) -> Result<()> {
        check::rewritable(state)?;
        if inode.is_directory() {
            self.volume.load_table_locked(inode, state)?;
            if state.table.as_ref().is_some_and(|table| table.entries() > 0) {
                return Err(Code::NotEmpty.into());
            }
        }
        Ok(())
    }

    /// Takes one name away from a file (its directory entry is already gone).
    pub(super) fn lose_name(&self, inode: &Arc<Inode>, state: &mut InodeState) {
        let attributes = &mut state.slot.attributes;
        attributes.nlink = if inode.is_directory() { 0 } else { attributes.nlink.saturating_sub(1) };
        attributes.ctime = now_ns();
        if attributes.nlink == 0 {
            state.set(crate::format::layout::DATA_CLASS_TOMBSTONE, true);
            self.volume.reconcile_orphan(inode);
        }
        self.volume.mark(inode, state);
    }

    pub(super) fn remove_name(&self, parent: Ino, name: &[u8], want_directory: bool) -> Result<()> {
        if name == b"." {
            return Err(Code::InvalidArgument.into());
        }
        if name == b".." {
            return Err(Code::NotEmpty.into());
        }
        check::name(name)?;
        let volume = &self.volume;
        let inside = volume.enter()?;
        let dir = self.directory(parent)?;
        for _ in 0..RACES_MAX {
            let (entry, inode) = self.peek(&dir, name)?;
            match (inode.is_directory(), want_directory) {
                (true, false) => return Err(Code::IsDirectory.into()),
                (false, true) => return Err(Code::NotDirectory.into()),
                _ => {}
            }
            let mut locked = Locked::new(&[&dir, &inode]);
            if !self.still_there(&dir, locked.of(&dir), name, &entry)? {
                continue;
            }
            check::rewritable(locked.of(&dir))?;
            self.may_lose_name(locked.of(&inode), &inode)?;
            volume.remove_entry(&dir, locked.of(&dir), name)?;
            volume.touch_directory(&dir, locked.of(&dir), -i64::from(want_directory));
            self.lose_name(&inode, locked.of(&inode));
            drop(locked);
            drop(inside);
            volume.reap_if_unused(&inode);
            return Ok(());
        }
        Err(Code::Busy.into())
    }
}
