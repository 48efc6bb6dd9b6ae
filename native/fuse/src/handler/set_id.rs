//! Set-id bits: a change of content by others takes them away, and the kernel hears of it.
//!
//! The kernel leaves this to whoever serves the mount (HANDLE_KILLPRIV_V2) and goes on with the mode it
//! keeps, which here is valid for a year: a program written by anybody would still run as its owner. So
//! the bits go first, as in `file_modified` of Linux, then the kernel drops its attributes, then the
//! content changes. The kernel holds the file's lock meanwhile: no chmod comes between.

use super::{Errno, Handler};
use crate::caller::{Capability, Standing};
use hn4_core::base::{Ino, Result};
use hn4_core::vfs::api::{Attr, Caller, SetAttr, Vfs};

/// Whether the caller may leave set-id bits where they are (CAP_FSETID).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SetId {
    Keeps,
    Loses,
    /// The request does not say.
    Ask,
}

impl<V: Vfs> Handler<V> {
    /// Runs a change of a file's content, its set-id bits gone before it.
    pub(super) fn changing<R>(
        &self,
        ino: Ino,
        who: &Caller,
        set_id: SetId,
        change: impl FnOnce(&V) -> Result<R>,
    ) -> std::result::Result<R, Errno> {
        if set_id == SetId::Keeps {
            return Ok(change(&self.vfs)?);
        }
        let attr = self.vfs.getattr(ino)?;
        let Some(loss) = loss(&attr, who, set_id) else { return Ok(change(&self.vfs)?) };
        // A change that chattr forbids takes nothing away.
        if attr.flags != 0 {
            let done = change(&self.vfs)?;
            self.take_set_id(ino, &loss, who)?;
            return Ok(done);
        }
        self.take_set_id(ino, &loss, who)?;
        Ok(change(&self.vfs)?)
    }

    fn take_set_id(&self, ino: Ino, loss: &SetAttr, who: &Caller) -> std::result::Result<(), Errno> {
        self.vfs.setattr(ino, loss, who)?;
        self.connection.invalidate_attributes(ino).map_err(|error| {
            self.log(&format!("file {ino}: the kernel keeps its old mode: {error}"));
            Errno(libc::EIO)
        })
    }

    /// What a change of size or owner takes away with it: the answer carries the new mode.
    pub(super) fn with_loss(&self, ino: Ino, set: SetAttr, who: &Caller) -> Result<SetAttr> {
        if !set.kill_suidgid {
            return Ok(set);
        }
        let attr = self.vfs.getattr(ino)?;
        // A new owner: even root's chown takes them, but for a group that may not execute.
        let set_id = if set.size.is_some() { SetId::Loses } else { SetId::Ask };
        let lost = loss(&attr, who, set_id);
        Ok(SetAttr { kill_sgid: lost.is_some_and(|lost| lost.kill_sgid), ..set })
    }
}

/// What the caller's change takes from a file: `setattr_should_drop_suidgid` of Linux.
fn loss(attr: &Attr, who: &Caller, set_id: SetId) -> Option<SetAttr> {
    let has = |bits| attr.mode & bits == bits;
    let is_regular = attr.mode & libc::S_IFMT == libc::S_IFREG;
    if !is_regular || !has(libc::S_ISUID) && !has(libc::S_ISGID) {
        return None;
    }
    let standing = Standing::of(who);
    if set_id == SetId::Ask && standing.has(Capability::FSetId) {
        return None;
    }
    // Without execution by the group the bit means mandatory locks, or nothing: it stays with its group.
    let kill_sgid = has(libc::S_ISGID) && !has(libc::S_IXGRP) && !standing.is_in(attr.gid);
    let kill_suidgid = has(libc::S_ISUID) || has(libc::S_ISGID | libc::S_IXGRP);
    (kill_sgid || kill_suidgid).then(|| SetAttr { kill_suidgid, kill_sgid, ..SetAttr::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: u32 = 50;

    fn lost(mode: u32, gid: u32, set_id: SetId) -> (bool, bool) {
        let attr = Attr { mode, gid: GROUP, ..Attr::default() };
        // No such process: neither groups nor capabilities.
        let who = Caller { uid: 1, gid, pid: 0, umask: 0 };
        loss(&attr, &who, set_id).map_or((false, false), |set| (set.kill_suidgid, set.kill_sgid))
    }

    #[test]
    fn the_bits_go_as_linux_takes_them() {
        for set_id in [SetId::Loses, SetId::Ask] {
            assert_eq!(lost(0o104755, 1, set_id), (true, false));
            assert_eq!(lost(0o102775, 1, set_id), (true, false));
            assert_eq!(lost(0o102775, GROUP, set_id), (true, false), "also from the group itself");
            assert_eq!(lost(0o102765, 1, set_id), (false, true));
            assert_eq!(lost(0o102765, GROUP, set_id), (false, false));
            assert_eq!(lost(0o106765, GROUP, set_id), (true, false));
            assert_eq!(lost(0o100777, 1, set_id), (false, false));
            assert_eq!(lost(0o042777, 1, set_id), (false, false), "directories keep theirs");
        }
    }
}
