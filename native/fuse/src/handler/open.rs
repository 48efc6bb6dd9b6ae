//! OPEN and its companions, for mounts that cannot do without (see `Settings::no_open`).

use super::{Errno, Handled, Handler, Outcome, fits};
use crate::abi::flags::{FOPEN_CACHE_DIR, FOPEN_KEEP_CACHE};
use crate::abi::ioctl::{FS_APPEND_FL, FS_IMMUTABLE_FL};
use crate::abi::{OpenIn, OpenOut};
use crate::wire::Reply;
use hn4_core::base::Ino;
use hn4_core::vfs::api::Vfs;
use std::sync::atomic::Ordering::Relaxed;

impl<V: Vfs> Handler<V> {
    /// There are no handles: a file is known by its number until it is forgotten. OPEN only
    /// refuses what `chattr +i` and `+a` forbid.
    pub(super) fn open(&self, ino: Ino, args: &OpenIn, reply: &mut Reply) -> Handled {
        // Answered so once, OPEN never comes again: not where a file is known that it has to refuse.
        if self.agreed.get().is_some_and(|agreed| agreed.no_open) && !self.vfs.has_marked() {
            self.open_is_silent.store(true, Relaxed);
            return Err(Errno(libc::ENOSYS));
        }
        let flags = args.flags as i32;
        if flags & libc::O_ACCMODE != libc::O_RDONLY {
            let marks = self.vfs.getattr(ino)?.flags;
            let overwrites = flags & libc::O_APPEND == 0;
            if marks & FS_IMMUTABLE_FL != 0 || (marks & FS_APPEND_FL != 0 && overwrites) {
                return Err(Errno(libc::EPERM));
            }
        }
        fits(reply.put(&OpenOut { open_flags: FOPEN_KEEP_CACHE, ..Default::default() }))
    }

    /// An append-only file is opened with O_APPEND, or not for writing. Where OPEN does not come, the first write
    /// by another descriptor is refused; `flags` are the descriptor's.
    pub(super) fn asks_append(&self, ino: Ino, flags: u32) -> Result<(), Errno> {
        let appends = flags as i32 & libc::O_APPEND != 0;
        if appends || !self.open_is_silent.load(Relaxed) || !self.vfs.has_marked() {
            return Ok(());
        }
        match self.vfs.getattr(ino)?.flags & FS_APPEND_FL {
            0 => Ok(()),
            _ => Err(Errno(libc::EPERM)),
        }
    }

    pub(super) fn opendir(&self, reply: &mut Reply) -> Handled {
        if self.agreed.get().is_some_and(|agreed| agreed.no_opendir) {
            return Err(Errno(libc::ENOSYS));
        }
        let open_flags = FOPEN_KEEP_CACHE | FOPEN_CACHE_DIR;
        fits(reply.put(&OpenOut { open_flags, ..Default::default() }))
    }

    /// Sent for files opened before the first ENOSYS, and where OPEN is served.
    pub(super) fn release(&self) -> Handled {
        Ok(Outcome::Done)
    }
}
