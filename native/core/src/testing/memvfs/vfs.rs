//! [`MemVfs`]: the state behind one lock, as a `Vfs`.

use super::node::Body;
use super::state::State;
use crate::base::{Code, Error, Ino, Result, Stop};
use crate::vfs::api::*;
use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

/// Called at the start of every operation with its name: may wait, fail it, or panic.
pub type Hook = Box<dyn Fn(&'static str) -> Result<()> + Send + Sync>;

/// An in-memory file system. Nothing is ever written anywhere.
pub struct MemVfs {
    state: RwLock<State>,
    hook: RwLock<Option<Hook>>,
    closed: AtomicBool,
    /// Some file was immutable or append-only.
    marked: AtomicBool,
    shutdowns: AtomicUsize,
}

impl MemVfs {
    /// An empty one of so many blocks of 4096 bytes.
    pub fn new(blocks: u64) -> MemVfs {
        MemVfs {
            state: RwLock::new(State::new(blocks)),
            hook: RwLock::new(None),
            closed: AtomicBool::new(false),
            marked: AtomicBool::new(false),
            shutdowns: AtomicUsize::new(0),
        }
    }

    /// Sets or clears the hook.
    pub fn set_hook(&self, hook: Option<Hook>) {
        *self.hook.write() = hook;
    }

    /// How often `shutdown` was called.
    pub fn shutdowns(&self) -> usize {
        self.shutdowns.load(Relaxed)
    }

    /// Files that exist, the root and unnamed ones included.
    pub fn file_count(&self) -> u64 {
        let figures = self.state.read().statfs();
        figures.files - figures.ffree
    }

    fn enter(&self, operation: &'static str) -> Result<()> {
        if self.closed.load(Relaxed) {
            return Err(Error::new(Code::Io, "the volume is closed"));
        }
        self.hook.read().as_ref().map_or(Ok(()), |hook| hook(operation))
    }

    fn look(&self, operation: &'static str) -> Result<RwLockReadGuard<'_, State>> {
        self.enter(operation)?;
        Ok(self.state.read())
    }

    fn change(&self, operation: &'static str) -> Result<RwLockWriteGuard<'_, State>> {
        self.enter(operation)?;
        Ok(self.state.write())
    }
}

impl Vfs for MemVfs {
    fn lookup(&self, parent: Ino, name: &[u8]) -> Result<Attr> {
        let state = self.look("lookup")?;
        let ino = state.child(parent, name)?;
        Ok(state.node(ino)?.looked_up())
    }

    fn forget(&self, ino: Ino, count: u64) {
        let state = self.state.read();
        let Ok(node) = state.node(ino) else { return };
        let before =
            node.lookups.fetch_update(Relaxed, Relaxed, |lookups| Some(lookups.saturating_sub(count)));
        if before.is_ok_and(|lookups| lookups <= count) {
            drop(state);
            self.state.write().reap(ino);
        }
    }

    fn getattr(&self, ino: Ino) -> Result<Attr> {
        Ok(self.look("getattr")?.node(ino)?.attr())
    }

    fn setattr(&self, ino: Ino, set: &SetAttr, _who: &Caller) -> Result<Attr> {
        self.change("setattr")?.setattr(ino, set)
    }

    fn readlink(&self, ino: Ino) -> Result<Vec<u8>> {
        match &self.look("readlink")?.node(ino)?.body {
            Body::Symlink(target) => Ok(target.clone()),
            _ => Err(Code::InvalidArgument.into()),
        }
    }
    fn readlink_as(&self, ino: Ino, _: &MaySearch<'_>) -> Result<Vec<u8>> {
        self.readlink(ino)
    }

    fn mknod(&self, parent: Ino, name: &[u8], mode: u32, rdev: u32, who: &Caller) -> Result<Attr> {
        self.change("mknod")?.mknod(parent, Some(name), mode, rdev, who)
    }

    fn mkdir(&self, parent: Ino, name: &[u8], mode: u32, who: &Caller) -> Result<Attr> {
        self.change("mkdir")?.mkdir(parent, name, mode, who)
    }

    fn symlink(&self, parent: Ino, name: &[u8], target: &[u8], who: &Caller) -> Result<Attr> {
        self.change("symlink")?.symlink(parent, name, target, who)
    }

    fn link(&self, ino: Ino, parent: Ino, name: &[u8]) -> Result<Attr> {
        self.change("link")?.link(ino, parent, name)
    }

    fn tmpfile(&self, parent: Ino, mode: u32, who: &Caller) -> Result<Attr> {
        self.change("tmpfile")?.mknod(parent, None, libc::S_IFREG | mode & 0o7777, 0, who)
    }

    fn unlink(&self, parent: Ino, name: &[u8]) -> Result<()> {
        self.change("unlink")?.unlink(parent, name)
    }

    fn rmdir(&self, parent: Ino, name: &[u8]) -> Result<()> {
        self.change("rmdir")?.rmdir(parent, name)
    }

    fn rename(&self, parent: Ino, name: &[u8], new_parent: Ino, new_name: &[u8], flags: u32) -> Result<()> {
        self.change("rename")?.rename(parent, name, new_parent, new_name, flags)
    }

    fn read(&self, ino: Ino, offset: u64, buf: &mut [u8]) -> Result<usize> {
        self.look("read")?.read(ino, offset, buf)
    }

    fn write(&self, ino: Ino, offset: u64, data: &[u8], kill_suidgid: bool) -> Result<usize> {
        self.change("write")?.write(ino, offset, data, kill_suidgid)
    }

    fn write_back(&self, ino: Ino, offset: u64, data: &[u8]) -> Result<usize> {
        self.change("write_back")?.write_back(ino, offset, data)
    }

    fn append(&self, ino: Ino, data: &[u8], kill_suidgid: bool) -> Result<u64> {
        self.change("append")?.append(ino, data, kill_suidgid)
    }

    fn fallocate_until(&self, ino: Ino, mode: u32, offset: u64, length: u64, _: &Stop) -> Result<()> {
        self.change("fallocate")?.fallocate(ino, mode, offset, length)
    }

    fn seek(&self, ino: Ino, offset: u64, what: Seek) -> Result<u64> {
        self.look("seek")?.seek(ino, offset, what)
    }

    fn copy_range_until(
        &self,
        from: Ino,
        from_offset: u64,
        to: Ino,
        to_offset: u64,
        length: u64,
        _: &Stop,
    ) -> Result<u64> {
        self.change("copy_range")?.copy_range(from, from_offset, to, to_offset, length)
    }

    fn fsync(&self, ino: Ino, _data_only: bool) -> Result<()> {
        self.look("fsync")?.node(ino).and(Ok(()))
    }

    fn syncfs(&self) -> Result<()> {
        self.look("syncfs").and(Ok(()))
    }

    fn readdir(
        &self,
        ino: Ino,
        cookie: u64,
        plus: bool,
        take: &mut dyn FnMut(&DirEntry) -> bool,
    ) -> Result<()> {
        self.look("readdir")?.readdir(ino, cookie, plus, take)
    }

    fn statfs(&self) -> Result<StatFs> {
        Ok(self.look("statfs")?.statfs())
    }

    fn trim(&self, _bytes: std::ops::Range<u64>, _min: u64) -> Result<u64> {
        Err(Code::NotSupported.into())
    }

    fn setxattr(&self, ino: Ino, name: &[u8], value: &[u8], flags: u32) -> Result<()> {
        self.change("setxattr")?.setxattr(ino, name, value, flags)
    }

    fn getxattr(&self, ino: Ino, name: &[u8]) -> Result<Vec<u8>> {
        self.look("getxattr")?.getxattr(ino, name)
    }

    fn listxattr(&self, ino: Ino) -> Result<Vec<u8>> {
        self.look("listxattr")?.listxattr(ino)
    }

    fn removexattr(&self, ino: Ino, name: &[u8]) -> Result<()> {
        self.change("removexattr")?.removexattr(ino, name)
    }

    fn setflags(&self, ino: Ino, flags: u32) -> Result<()> {
        self.change("setflags")?.setflags(ino, flags)?;
        self.marked.fetch_or(flags != 0, Relaxed);
        Ok(())
    }

    fn has_marked(&self) -> bool {
        self.marked.load(Relaxed)
    }

    fn shutdown(&self) -> Result<()> {
        self.shutdowns.fetch_add(1, Relaxed);
        let result = self.enter("shutdown");
        self.closed.store(true, Relaxed);
        result
    }
}
