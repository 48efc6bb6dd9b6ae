//! rename(2) and the flags of renameat2(2).

use super::node::{Body, IMMUTABLE, now};
use super::state::{ROOT, State, check_name};
use crate::base::{Code, Ino, Result};
use crate::vfs::api::{Caller, RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT};

impl State {
    pub fn rename(&mut self, from: Ino, name: &[u8], to: Ino, new_name: &[u8], flags: u32) -> Result<()> {
        let exchange = flags & RENAME_EXCHANGE != 0;
        let known = RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT;
        if flags & !known != 0 || (exchange && flags != RENAME_EXCHANGE) {
            return Err(Code::InvalidArgument.into());
        }
        let moved = self.child(from, name)?;
        check_name(new_name)?;
        let target_home = self.node(to)?;
        let found = target_home.directory()?.get(new_name);
        if target_home.nlink == 0 {
            return Err(Code::NotFound.into());
        }
        match found {
            None if exchange => return Err(Code::NotFound.into()),
            Some(_) if flags & RENAME_NOREPLACE != 0 => return Err(Code::Exists.into()),
            Some(other) => {
                if self.is_inside(to, moved) {
                    return Err(Code::InvalidArgument.into());
                }
                if self.is_inside(from, other) {
                    return Err(if exchange { Code::InvalidArgument } else { Code::NotEmpty }.into());
                }
                self.removable(from, name)?;
                self.removable(to, new_name)?;
                if exchange {
                    return self.exchange(from, name, moved, to, new_name, other);
                }
                // Two names of one file: nothing happens, says POSIX.
                if other == moved {
                    return Ok(());
                }
                self.check_replaceable(moved, other)?;
            }
            None => {
                if self.is_inside(to, moved) {
                    return Err(Code::InvalidArgument.into());
                }
                self.removable(from, name)?;
                target_home.refuse(IMMUTABLE)?;
            }
        }
        self.move_name(from, name, moved, to, new_name, found)?;
        if flags & RENAME_WHITEOUT != 0 {
            // WHITEOUT_DEV of linux/fs.h: character device 0:0.
            self.create(from, Some(name), libc::S_IFCHR, 0, Body::Special, &Caller::default())?;
            let whiteout = self.child(from, name)?;
            self.node(whiteout)?.lookups.store(0, std::sync::atomic::Ordering::Relaxed);
        }
        Ok(())
    }

    /// True if `directory` is `ancestor` or lies below it.
    fn is_inside(&self, mut directory: Ino, ancestor: Ino) -> bool {
        loop {
            if directory == ancestor {
                return true;
            }
            match self.node(directory).and_then(|node| node.directory()) {
                Ok(entries) if directory != ROOT => directory = entries.parent,
                _ => return false,
            }
        }
    }

    fn check_replaceable(&self, moved: Ino, other: Ino) -> Result<()> {
        match (self.node(moved)?.is_directory(), &self.node(other)?.body) {
            (true, Body::Directory(entries)) if entries.is_empty() => Ok(()),
            (true, Body::Directory(_)) => Err(Code::NotEmpty.into()),
            (true, _) => Err(Code::NotDirectory.into()),
            (false, Body::Directory(_)) => Err(Code::IsDirectory.into()),
            (false, _) => Ok(()),
        }
    }

    fn move_name(
        &mut self,
        from: Ino,
        name: &[u8],
        moved: Ino,
        to: Ino,
        new_name: &[u8],
        replaced: Option<Ino>,
    ) -> Result<()> {
        let is_directory = u32::from(self.node(moved)?.is_directory());
        let source = self.node_mut(from)?;
        source.directory_mut()?.remove(name);
        source.nlink -= is_directory;
        source.modified(false);
        let target = self.node_mut(to)?;
        let entries = target.directory_mut()?;
        match replaced {
            Some(_) => entries.replace(new_name, moved),
            None => entries.insert(new_name, moved),
        }
        // A replaced directory took its `..` with it.
        target.nlink += if replaced.is_none() { is_directory } else { 0 };
        target.modified(false);
        self.settle(moved, to)?;
        replaced.map_or(Ok(()), |ino| self.lose_name(ino))
    }

    fn exchange(
        &mut self,
        from: Ino,
        name: &[u8],
        moved: Ino,
        to: Ino,
        new_name: &[u8],
        other: Ino,
    ) -> Result<()> {
        let moved_links = u32::from(self.node(moved)?.is_directory());
        let other_links = u32::from(self.node(other)?.is_directory());
        let source = self.node_mut(from)?;
        source.directory_mut()?.replace(name, other);
        source.nlink = source.nlink - moved_links + other_links;
        source.modified(false);
        let target = self.node_mut(to)?;
        target.directory_mut()?.replace(new_name, moved);
        target.nlink = target.nlink - other_links + moved_links;
        target.modified(false);
        self.settle(moved, to)?;
        self.settle(other, from)
    }

    /// A file arrived in another directory.
    fn settle(&mut self, ino: Ino, parent: Ino) -> Result<()> {
        let node = self.node_mut(ino)?;
        node.ctime = now();
        if let Body::Directory(entries) = &mut node.body {
            entries.parent = parent;
        }
        Ok(())
    }
}
