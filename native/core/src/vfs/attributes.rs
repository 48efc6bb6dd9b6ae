//! setattr: mode, owner, times, size.

use super::FileSystem;
use super::api::{Attr, Caller, SetAttr, SetTime};
use super::check;
use crate::base::{Code, Ino, Result, now_ns};
use crate::format::Kind;

impl FileSystem {
    pub(super) fn set_attributes(&self, ino: Ino, set: &SetAttr, _who: &Caller) -> Result<Attr> {
        let volume = &self.volume;
        let inode = volume.by_ino(ino)?;
        if let Some(size) = set.size {
            match inode.kind {
                Kind::Regular => volume.truncate(&inode, size)?,
                Kind::Directory => return Err(Code::IsDirectory.into()),
                _ => return Err(Code::InvalidArgument.into()),
            }
        }
        let _inside = volume.enter()?;
        let mut state = inode.state.write();
        let only_times_now = set.mode.is_none()
            && set.uid.is_none()
            && set.gid.is_none()
            && [set.atime, set.mtime].iter().flatten().all(|time| *time == SetTime::Now);
        // Setting both times to now is what any writer may do to an append-only file.
        if only_times_now {
            check::mutable(&state)?
        } else {
            check::rewritable(&state)?
        }
        if set.uid.is_some() || set.gid.is_some() {
            volume.drop_capability(&inode, &mut state)?;
        }
        if let Some(mode) = set.mode {
            self.chmod_acl(&inode, &mut state, mode)?;
        }
        let now = now_ns();
        let at = |time| match time {
            SetTime::Now => now,
            SetTime::At(ns) => ns,
        };
        let anchor = &mut state.slot.anchor;
        if let Some(mode) = set.mode {
            anchor.permissions = anchor.permissions & !0o7777 | mode & 0o7777;
        }
        if set.kill_suidgid && !inode.is_directory() {
            crate::volume::kill_suidgid(&mut anchor.permissions);
        }
        if let Some(time) = set.mtime {
            anchor.mod_clock = at(time);
        }
        let attributes = &mut state.slot.attributes;
        attributes.uid = set.uid.unwrap_or(attributes.uid);
        attributes.gid = set.gid.unwrap_or(attributes.gid);
        if let Some(time) = set.atime {
            attributes.atime = at(time);
            inode.read_at.store(0, std::sync::atomic::Ordering::Relaxed);
        }
        attributes.ctime = set.ctime.unwrap_or(now);
        volume.mark(&inode, &mut state);
        Ok(volume.attr(&inode, &state))
    }
}
