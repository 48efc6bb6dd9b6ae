//! lookup, link, readlink.

use super::FileSystem;
use super::api::Attr;
use super::check;
use super::locking::LockedSet;
use super::stat::attr;
use crate::base::{Code, Error, Ino, Result, now_ns};
use crate::directory::Entry;
use crate::format::{Kind, layout};
use crate::transaction::Transaction;
use crate::volume::{Inode, Purpose};
use std::sync::Arc;

impl FileSystem {
    pub(super) fn find_name(&self, parent: Ino, name: &[u8]) -> Result<Attr> {
        if name.len() > layout::NAME_MAX as usize {
            return Err(Code::NameTooLong.into());
        }
        let inode = self.child(parent, name)?;
        let file = inode.share();
        Ok(attr(file.view()))
    }

    /// The file of a name, with one lookup added.
    fn child(&self, parent: Ino, name: &[u8]) -> Result<Arc<Inode>> {
        let volume = &self.volume;
        let dir = self.directory(parent)?;
        if name == b"." || name == b".." {
            let inode = if name == b"." { dir } else { self.parent_of(&dir)? };
            volume.inodes.add_lookups(&inode, 1);
            return Ok(inode);
        }
        // Held until the lookup is counted: the file cannot be reaped in between.
        let names = volume.names(&dir)?;
        let entry = volume.find_name(&names, name)?.ok_or(Code::NotFound)?;
        let inode = self.file_of(&dir, &entry)?;
        volume.inodes.add_lookups(&inode, 1);
        Ok(inode)
    }

    /// The file an entry leads to. Call under the directory's lock: an entry without an anchor is damage. So is
    /// one that leads to a system file: those are locked by whoever needs them, beside any file.
    pub(super) fn file_of(&self, dir: &Inode, entry: &Entry) -> Result<Arc<Inode>> {
        if entry.seed.number < layout::INO_FIRST {
            let text = format!("directory {}: an entry names system file {}", dir.ino, entry.seed.number);
            return Err(Error::new(Code::Corrupt, text));
        }
        self.volume.inode_of_entry(dir.ino, entry)
    }

    /// The directory above. Corrupt: what the file says to be above it is none.
    pub(super) fn parent_of(&self, dir: &Arc<Inode>) -> Result<Arc<Inode>> {
        let (number, hint) = {
            let attributes = &dir.share().slot.attributes;
            (attributes.parent_number, attributes.parent_hint)
        };
        if number != layout::INO_ROOT && number < layout::INO_FIRST {
            return Err(no_parent(dir, number));
        }
        match self.volume.inode(number, hint) {
            Ok(parent) if parent.is_directory() => Ok(parent),
            Ok(_) => Err(no_parent(dir, number)),
            Err(error) if error.code == Code::NotFound => Err(no_parent(dir, number)),
            Err(error) => Err(error),
        }
    }

    pub(super) fn add_link(&self, tx: &Transaction<'_>, ino: Ino, parent: Ino, name: &[u8]) -> Result<Attr> {
        check::name(name)?;
        let volume = &self.volume;
        let dir = self.directory(parent)?;
        let inode = volume.by_ino(ino)?;
        if inode.is_directory() {
            return Err(Code::NotPermitted.into());
        }
        let mut locked = LockedSet::new(&[&dir, &inode]);
        let file = locked.of(&inode);
        check::rewritable(file)?;
        if file.gone {
            return Err(Code::NotFound.into());
        }
        let nlink = file.slot.attributes.nlink;
        if u64::from(nlink) >= layout::LINK_MAX {
            return Err(Code::TooManyLinks.into());
        }
        let names = locked.of(&dir);
        check::alive(names)?;
        check::mutable(names)?;
        volume.insert_entry(tx, names, name, &inode, Purpose::User)?;
        volume.touch_directory(tx, names, 0);
        let file = locked.of(&inode);
        file.slot.attributes.nlink = nlink + 1;
        file.slot.attributes.ctime = now_ns();
        if nlink == 0 {
            // A file made by O_TMPFILE gets its first name, and its true parent.
            file.slot.attributes.parent_number = dir.ino;
            file.slot.attributes.parent_hint = dir.hint;
            volume.reconcile_orphan(tx, &inode);
        } else {
            self.gains_name(file, &dir);
        }
        volume.mark(tx, file);
        volume.inodes.add_lookups(&inode, 1);
        Ok(attr(file.view()))
    }

    pub(super) fn read_link(&self, ino: Ino) -> Result<Vec<u8>> {
        let inode = self.volume.by_ino(ino)?;
        if inode.kind != Kind::Symlink {
            return Err(Code::InvalidArgument.into());
        }
        let file = inode.share();
        if file.is_inline() {
            return Ok(file.slot.inline_content().to_vec());
        }
        let target = self.volume.extension_payload(file.view(), layout::EXTENSION_SYMLINK)?;
        if target.len() as u64 != file.size {
            return Err(Error::new(Code::Corrupt, format!("symlink {ino}: target and size disagree")));
        }
        Ok(target)
    }
}

fn no_parent(file: &Inode, number: Ino) -> Error {
    Error::new(Code::Corrupt, format!("file {}: its parent {number} is no directory", file.ino))
}
