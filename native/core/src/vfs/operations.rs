//! The engine's implementation of [`Vfs`]: one entry for each operation.

use super::FileSystem;
use super::api::*;
use super::create::NewFile;
use super::links::is_virtual;
use super::stat::{attr, statfs};
use crate::base::{Ino, Result, Stop};
use std::ops::Range;

impl FileSystem {
    fn make(&self, parent: Ino, new: NewFile<'_>, who: &Caller) -> Result<Attr> {
        self.volume.change(|tx| self.create(tx, parent, &new, who))
    }
}

impl Vfs for FileSystem {
    fn lookup(&self, parent: Ino, name: &[u8]) -> Result<Attr> {
        if let Some(found) = self.lookup_virtual(parent, name) {
            return found;
        }
        self.find_name(parent, name)
    }
    fn is_volatile(&self, ino: Ino) -> bool {
        is_virtual(ino)
    }
    fn forget(&self, ino: Ino, count: u64) {
        if is_virtual(ino) {
            return self.forget_link(ino);
        }
        if let Some(inode) = self.volume.inodes.forget(ino, count) {
            self.volume.reap_if_unused(&inode);
        }
    }
    fn getattr(&self, ino: Ino) -> Result<Attr> {
        if let Some(attr) = self.virtual_attr(ino) {
            return Ok(attr);
        }
        let inode = self.volume.by_ino(ino)?;
        let file = inode.share();
        Ok(attr(file.view()))
    }
    fn setattr(&self, ino: Ino, set: &SetAttr, _who: &Caller) -> Result<Attr> {
        self.set_attributes(ino, set)
    }
    fn readlink(&self, ino: Ino) -> Result<Vec<u8>> {
        self.readlink_as(ino, &|_, _| true)
    }
    fn readlink_as(&self, ino: Ino, may_search: &MaySearch<'_>) -> Result<Vec<u8>> {
        match self.virtual_target(ino, may_search) {
            Some(target) => target,
            None => self.read_link(ino),
        }
    }
    fn mknod(&self, parent: Ino, name: &[u8], mode: u32, rdev: u32, who: &Caller) -> Result<Attr> {
        self.make(parent, NewFile { name: Some(name), mode, rdev, target: None }, who)
    }
    fn mkdir(&self, parent: Ino, name: &[u8], mode: u32, who: &Caller) -> Result<Attr> {
        let mode = libc::S_IFDIR | mode & 0o7777;
        self.make(parent, NewFile { name: Some(name), mode, ..NewFile::default() }, who)
    }
    fn symlink(&self, parent: Ino, name: &[u8], target: &[u8], who: &Caller) -> Result<Attr> {
        let mode = libc::S_IFLNK | 0o777;
        self.make(parent, NewFile { name: Some(name), mode, rdev: 0, target: Some(target) }, who)
    }
    fn tmpfile(&self, parent: Ino, mode: u32, who: &Caller) -> Result<Attr> {
        let mode = libc::S_IFREG | mode & 0o7777;
        self.make(parent, NewFile { mode, ..NewFile::default() }, who)
    }
    fn link(&self, ino: Ino, parent: Ino, name: &[u8]) -> Result<Attr> {
        self.volume.change(|tx| self.add_link(tx, ino, parent, name))
    }
    fn unlink(&self, parent: Ino, name: &[u8]) -> Result<()> {
        self.remove_name(parent, name, false)
    }
    fn rmdir(&self, parent: Ino, name: &[u8]) -> Result<()> {
        self.remove_name(parent, name, true)
    }
    fn rename(&self, parent: Ino, name: &[u8], new_parent: Ino, new_name: &[u8], flags: u32) -> Result<()> {
        self.move_name(parent, name, new_parent, new_name, flags)
    }
    fn read(&self, ino: Ino, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let inode = self.volume.by_ino(ino)?;
        self.volume.read(&inode, offset, buf)
    }
    fn write(&self, ino: Ino, offset: u64, data: &[u8], kill_suidgid: bool) -> Result<usize> {
        let inode = self.volume.by_ino(ino)?;
        self.volume.write(&inode, Some(offset), data, kill_suidgid)?;
        Ok(data.len())
    }
    fn write_back(&self, ino: Ino, offset: u64, data: &[u8]) -> Result<usize> {
        let inode = self.volume.by_ino(ino)?;
        self.volume.write_back(&inode, offset, data)?;
        Ok(data.len())
    }
    fn append(&self, ino: Ino, data: &[u8], kill_suidgid: bool) -> Result<u64> {
        let inode = self.volume.by_ino(ino)?;
        self.volume.write(&inode, None, data, kill_suidgid)
    }
    fn fallocate_until(&self, ino: Ino, mode: u32, offset: u64, length: u64, stop: &Stop) -> Result<()> {
        let inode = self.volume.by_ino(ino)?;
        self.volume.fallocate(&inode, mode, offset, length, stop)
    }
    fn seek(&self, ino: Ino, offset: u64, what: Seek) -> Result<u64> {
        let inode = self.volume.by_ino(ino)?;
        self.volume.seek(&inode, offset, what == Seek::Data)
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
        let (source, target) = (self.volume.by_ino(from)?, self.volume.by_ino(to)?);
        self.volume.copy_range(&source, from_offset, &target, to_offset, length, stop)
    }
    fn fsync(&self, ino: Ino, _data_only: bool) -> Result<()> {
        if is_virtual(ino) {
            return Ok(());
        }
        let inode = self.volume.by_ino(ino)?;
        self.volume.sync_file(&inode)
    }
    fn syncfs(&self) -> Result<()> {
        self.volume.commit_all()
    }
    fn readdir(
        &self,
        ino: Ino,
        cookie: u64,
        plus: bool,
        take: &mut dyn FnMut(&DirEntry) -> bool,
    ) -> Result<()> {
        self.list(ino, cookie, plus, take)
    }
    fn statfs(&self) -> Result<StatFs> {
        self.volume.reap_waiting();
        Ok(statfs(&self.volume))
    }
    fn trim(&self, bytes: Range<u64>, min: u64) -> Result<u64> {
        self.volume.trim(bytes, min)
    }
    fn setxattr(&self, ino: Ino, name: &[u8], value: &[u8], flags: u32) -> Result<()> {
        self.set_xattr(ino, name, value, flags)
    }
    fn getxattr(&self, ino: Ino, name: &[u8]) -> Result<Vec<u8>> {
        self.get_xattr(ino, name)
    }
    fn listxattr(&self, ino: Ino) -> Result<Vec<u8>> {
        self.list_xattr(ino)
    }
    fn removexattr(&self, ino: Ino, name: &[u8]) -> Result<()> {
        self.remove_xattr(ino, name)
    }
    fn setflags(&self, ino: Ino, flags: u32) -> Result<()> {
        self.set_flags(ino, flags)
    }
    fn has_marked(&self) -> bool {
        self.volume.inodes.has_marked()
    }
    fn shutdown(&self) -> Result<()> {
        self.volume.close()
    }
}
