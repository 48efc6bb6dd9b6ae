//! setattr: mode, owner, times, size.

use super::FileSystem;
use super::api::{Attr, SetAttr, SetTime};
use super::check;
use super::stat::attr;
use crate::base::{Code, Ino, Result, now_ns};
use crate::format::Kind;
use crate::transaction::Transaction;
use crate::volume::Locked;

impl FileSystem {
    pub(super) fn set_attributes(&self, ino: Ino, set: &SetAttr) -> Result<Attr> {
        let volume = &self.volume;
        let inode = volume.by_ino(ino)?;
        if let Some(size) = set.size {
            match inode.kind {
                Kind::Regular => volume.truncate(&inode, size, |permissions| set.take_set_id(permissions))?,
                Kind::Directory => return Err(Code::IsDirectory.into()),
                _ => return Err(Code::InvalidArgument.into()),
            }
        }
        volume.change(|tx| {
            let mut file = inode.lock();
            self.set_locked(tx, &mut file, set)?;
            Ok(attr(file.view()))
        })
    }

    fn set_locked(&self, tx: &Transaction<'_>, file: &mut Locked<'_>, set: &SetAttr) -> Result<()> {
        let only_times = set.mode.is_none() && set.uid.is_none() && set.gid.is_none();
        let now_alone = [set.atime, set.mtime].iter().flatten().all(|time| *time == SetTime::Now);
        // Setting both times to now is what any writer may do to an append-only file; with ctime, which nobody can
        // ask for, they are those of writes that the kernel kept.
        if only_times && (now_alone || set.ctime.is_some()) {
            check::mutable(file)?
        } else {
            check::rewritable(file)?
        }
        let new_owner = set.uid.is_some() || set.gid.is_some();
        self.follow_attributes(tx, file, set.mode, new_owner)?;
        let now = now_ns();
        let at = |time| match time {
            SetTime::Now => now,
            SetTime::At(ns) => ns,
        };
        let anchor = &mut file.slot.anchor;
        if let Some(mode) = set.mode {
            anchor.permissions = anchor.permissions & !0o7777 | mode & 0o7777;
        }
        if !file.inode.is_directory() {
            set.take_set_id(&mut file.slot.anchor.permissions);
        }
        if let Some(time) = set.mtime {
            file.slot.anchor.mod_clock = at(time);
        }
        if let Some(time) = set.atime {
            file.slot.attributes.atime = at(time);
            file.inode.take_read_at();
        }
        let attributes = &mut file.slot.attributes;
        attributes.uid = set.uid.unwrap_or(attributes.uid);
        attributes.gid = set.gid.unwrap_or(attributes.gid);
        attributes.ctime = set.ctime.unwrap_or(now);
        self.volume.mark(tx, file);
        Ok(())
    }
}
