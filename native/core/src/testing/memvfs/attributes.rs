//! SETATTR and chattr.

use super::node::{APPEND, IMMUTABLE, now};
use super::state::{SIZE_MAX, State};
use crate::base::{Code, Ino, Result};
use crate::vfs::api::{Attr, SetAttr, SetTime};
use std::sync::atomic::Ordering::Relaxed;

impl State {
    pub fn setattr(&mut self, ino: Ino, set: &SetAttr) -> Result<Attr> {
        self.check_marks(ino, set)?;
        if let Some(size) = set.size {
            self.truncate(ino, size)?;
        }
        let node = self.node_mut(ino)?;
        let time = now();
        if set.size.is_some() || set.uid.is_some() || set.gid.is_some() {
            node.drop_privileges(false);
        }
        if !node.is_directory() {
            set.take_set_id(&mut node.mode);
        }
        if let Some(mode) = set.mode {
            node.mode = node.mode & libc::S_IFMT | mode & 0o7777;
            node.chmod_acl();
        }
        node.uid = set.uid.unwrap_or(node.uid);
        node.gid = set.gid.unwrap_or(node.gid);
        let moment = |wish| match wish {
            SetTime::Now => time,
            SetTime::At(at) => at,
        };
        if let Some(wish) = set.atime {
            node.atime.store(moment(wish), Relaxed);
        }
        if let Some(wish) = set.mtime {
            node.mtime = moment(wish);
        }
        node.ctime = set.ctime.unwrap_or(time);
        Ok(node.attr())
    }

    /// What an immutable or append-only file refuses.
    fn check_marks(&self, ino: Ino, set: &SetAttr) -> Result<()> {
        let node = self.node(ino)?;
        let is_at = |time| matches!(time, Some(SetTime::At(_)));
        let plain = !(is_at(set.atime) || is_at(set.mtime));
        let changes = set.mode.is_some() || set.uid.is_some() || set.gid.is_some() || set.size.is_some();
        // Setting the times to the present is a kind of touch: append-only files allow it.
        node.refuse(if changes || !plain { IMMUTABLE | APPEND } else { IMMUTABLE })
    }

    fn truncate(&mut self, ino: Ino, new: u64) -> Result<()> {
        if new > SIZE_MAX {
            return Err(Code::FileTooLarge.into());
        }
        self.change_content(ino, 0, |size, content| {
            if new < *size {
                content.truncate(new);
            }
            *size = new;
        })?;
        self.node_mut(ino)?.modified(false);
        Ok(())
    }

    pub fn setflags(&mut self, ino: Ino, flags: u32) -> Result<()> {
        if flags & !(IMMUTABLE | APPEND) != 0 {
            return Err(Code::NotSupported.into());
        }
        let node = self.node_mut(ino)?;
        node.flags = flags;
        node.ctime = now();
        Ok(())
    }
}
