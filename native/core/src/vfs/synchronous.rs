//! `-o sync` and `-o dirsync`: calls that change something return when the change is durable.
//!
//! The one place where that is done, whichever [`Vfs`] is below: behind each changing call comes an fsync of
//! a file it changed, which takes along everything done before. Calls that run at the same time share a
//! commit, and a call that changed nothing writes nothing.
//!
//! A write is not among them: the kernel sends FSYNC behind each write(2) of a synchronous mount, one for
//! all its requests, and pages of a mapping are not to be waited for.

use super::api::*;
use crate::base::{Ino, Result, Stop};
use std::ops::Range;
use std::sync::Arc;

/// Which changing calls are durable when they return.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// Those that ask for it: fsync and the like.
    #[default]
    Asked,
    /// Also what changes names (`-o dirsync`).
    Names,
    /// All of them (`-o sync`).
    All,
}

/// A [`Vfs`] whose changing calls are durable when they return. A call whose change cannot be made durable
/// fails, though the change has happened: as after a failed fsync, what is on the disk is not known.
pub struct Synced<V> {
    below: Arc<V>,
    which: Synchronous,
}

impl<V: Vfs> Synced<V> {
    pub fn new(below: Arc<V>, which: Synchronous) -> Synced<V> {
        Synced { below, which }
    }

    /// Behind a change of names in `dir`.
    fn named<R>(&self, dir: Ino, done: R) -> Result<R> {
        if self.which != Synchronous::Asked {
            self.below.fsync(dir, false)?;
        }
        Ok(done)
    }

    /// Behind a call that gave `dir` a new name, and counted a lookup: it is taken back with an error.
    fn entered(&self, dir: Ino, made: Attr) -> Result<Attr> {
        self.named(dir, made).inspect_err(|_| self.below.forget(made.ino, 1))
    }

    /// Behind another change of a file.
    fn changed<R>(&self, ino: Ino, done: R) -> Result<R> {
        if self.which == Synchronous::All {
            self.below.fsync(ino, false)?;
        }
        Ok(done)
    }
}

impl<V: Vfs> Vfs for Synced<V> {
    fn mknod(&self, parent: Ino, name: &[u8], mode: u32, rdev: u32, who: &Caller) -> Result<Attr> {
        self.entered(parent, self.below.mknod(parent, name, mode, rdev, who)?)
    }
    fn mkdir(&self, parent: Ino, name: &[u8], mode: u32, who: &Caller) -> Result<Attr> {
        self.entered(parent, self.below.mkdir(parent, name, mode, who)?)
    }
    fn symlink(&self, parent: Ino, name: &[u8], target: &[u8], who: &Caller) -> Result<Attr> {
        self.entered(parent, self.below.symlink(parent, name, target, who)?)
    }
    fn link(&self, ino: Ino, parent: Ino, name: &[u8]) -> Result<Attr> {
        self.entered(parent, self.below.link(ino, parent, name)?)
    }
    fn tmpfile(&self, parent: Ino, mode: u32, who: &Caller) -> Result<Attr> {
        self.entered(parent, self.below.tmpfile(parent, mode, who)?)
    }
    fn unlink(&self, parent: Ino, name: &[u8]) -> Result<()> {
        self.named(parent, self.below.unlink(parent, name)?)
    }
    fn rmdir(&self, parent: Ino, name: &[u8]) -> Result<()> {
        self.named(parent, self.below.rmdir(parent, name)?)
    }
    fn rename(&self, parent: Ino, name: &[u8], new_parent: Ino, new_name: &[u8], flags: u32) -> Result<()> {
        self.named(new_parent, self.below.rename(parent, name, new_parent, new_name, flags)?)
    }

    fn setattr(&self, ino: Ino, set: &SetAttr, who: &Caller) -> Result<Attr> {
        self.changed(ino, self.below.setattr(ino, set, who)?)
    }
    fn fallocate_until(&self, ino: Ino, mode: u32, offset: u64, length: u64, stop: &Stop) -> Result<()> {
        self.changed(ino, self.below.fallocate_until(ino, mode, offset, length, stop)?)
    }
    fn copy_range_until(
        &self,
        from: Ino,
        from_offset: u64,
        to: Ino,
        to_offset: u64,
        length: u64,
        stop: &Stop,
    ) -> Result<u64> {
        self.changed(to, self.below.copy_range_until(from, from_offset, to, to_offset, length, stop)?)
    }
    fn setxattr(&self, ino: Ino, name: &[u8], value: &[u8], flags: u32) -> Result<()> {
        self.changed(ino, self.below.setxattr(ino, name, value, flags)?)
    }
    fn removexattr(&self, ino: Ino, name: &[u8]) -> Result<()> {
        self.changed(ino, self.below.removexattr(ino, name)?)
    }
    fn setflags(&self, ino: Ino, flags: u32) -> Result<()> {
        self.changed(ino, self.below.setflags(ino, flags)?)
    }

    // FSYNC comes from the kernel.
    fn write(&self, ino: Ino, offset: u64, data: &[u8], kill_suidgid: bool) -> Result<usize> {
        self.below.write(ino, offset, data, kill_suidgid)
    }
    fn write_back(&self, ino: Ino, offset: u64, data: &[u8]) -> Result<usize> {
        self.below.write_back(ino, offset, data)
    }
    fn append(&self, ino: Ino, data: &[u8], kill_suidgid: bool) -> Result<u64> {
        self.below.append(ino, data, kill_suidgid)
    }
    fn fsync(&self, ino: Ino, data_only: bool) -> Result<()> {
        self.below.fsync(ino, data_only)
    }
    fn syncfs(&self) -> Result<()> {
        self.below.syncfs()
    }

    // These change nothing that a crash could take.
    fn lookup(&self, parent: Ino, name: &[u8]) -> Result<Attr> {
        self.below.lookup(parent, name)
    }
    fn is_volatile(&self, ino: Ino) -> bool {
        self.below.is_volatile(ino)
    }
    fn forget(&self, ino: Ino, count: u64) {
        self.below.forget(ino, count)
    }
    fn getattr(&self, ino: Ino) -> Result<Attr> {
        self.below.getattr(ino)
    }
    fn readlink(&self, ino: Ino) -> Result<Vec<u8>> {
        self.below.readlink(ino)
    }
    fn readlink_as(&self, ino: Ino, may_search: &MaySearch<'_>) -> Result<Vec<u8>> {
        self.below.readlink_as(ino, may_search)
    }
    fn has_marked(&self) -> bool {
        self.below.has_marked()
    }
    fn read(&self, ino: Ino, offset: u64, buf: &mut [u8]) -> Result<usize> {
        self.below.read(ino, offset, buf)
    }
    fn seek(&self, ino: Ino, offset: u64, what: Seek) -> Result<u64> {
        self.below.seek(ino, offset, what)
    }
    fn readdir(
        &self,
        ino: Ino,
        cookie: u64,
        plus: bool,
        take: &mut dyn FnMut(&DirEntry) -> bool,
    ) -> Result<()> {
        self.below.readdir(ino, cookie, plus, take)
    }
    fn statfs(&self) -> Result<StatFs> {
        self.below.statfs()
    }
    fn trim(&self, bytes: Range<u64>, min: u64) -> Result<u64> {
        self.below.trim(bytes, min)
    }
    fn getxattr(&self, ino: Ino, name: &[u8]) -> Result<Vec<u8>> {
        self.below.getxattr(ino, name)
    }
    fn listxattr(&self, ino: Ino) -> Result<Vec<u8>> {
        self.below.listxattr(ino)
    }
    fn shutdown(&self) -> Result<()> {
        self.below.shutdown()
    }
}
