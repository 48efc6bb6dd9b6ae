//! Names: LOOKUP and everything that makes a file or a link.

use super::{Errno, Handled, Handler, Outcome, fits};
use crate::abi::flags::FOPEN_KEEP_CACHE;
use crate::abi::{CreateIn, MkdirIn, MknodIn, OpenOut};
use crate::caller::Standing;
use crate::wire::Reply;
use hn4_core::base::Ino;
use hn4_core::vfs::api::{Attr, Caller, Vfs};
use std::cell::LazyCell;

impl<V: Vfs> Handler<V> {
    fn entry(&self, attr: &Attr, reply: &mut Reply) -> Handled {
        fits(reply.put_entry(attr, self.validity(attr.ino)))
    }

    pub(super) fn lookup(&self, parent: Ino, name: &[u8], reply: &mut Reply) -> Handled {
        match self.vfs.lookup(parent, name) {
            Ok(attr) => self.entry(&attr, reply),
            // Answered with a record, not with ENOENT: so the kernel remembers it.
            Err(error) if error.errno() == libc::ENOENT => fits(reply.put_absent(self.validity(parent))),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn mknod(
        &self,
        parent: Ino,
        name: &[u8],
        args: &MknodIn,
        who: &Caller,
        reply: &mut Reply,
    ) -> Handled {
        let who = Caller { umask: args.umask, ..*who };
        let attr = self.vfs.mknod(parent, name, args.mode, args.rdev, &who)?;
        self.entry(&attr, reply)
    }

    pub(super) fn mkdir(
        &self,
        parent: Ino,
        name: &[u8],
        args: &MkdirIn,
        who: &Caller,
        reply: &mut Reply,
    ) -> Handled {
        let who = Caller { umask: args.umask, ..*who };
        let attr = self.vfs.mkdir(parent, name, args.mode, &who)?;
        self.entry(&attr, reply)
    }

    pub(super) fn symlink(
        &self,
        parent: Ino,
        name: &[u8],
        target: &[u8],
        who: &Caller,
        reply: &mut Reply,
    ) -> Handled {
        let attr = self.vfs.symlink(parent, name, target, who)?;
        self.entry(&attr, reply)
    }

    pub(super) fn link(&self, ino: Ino, parent: Ino, name: &[u8], reply: &mut Reply) -> Handled {
        let attr = self.vfs.link(ino, parent, name)?;
        self.entry(&attr, reply)
    }

    /// The reply is that of CREATE: the file and its (unused) handle.
    pub(super) fn tmpfile(&self, parent: Ino, args: &CreateIn, who: &Caller, reply: &mut Reply) -> Handled {
        let who = Caller { umask: args.umask, ..*who };
        let attr = self.vfs.tmpfile(parent, args.mode, &who)?;
        self.entry(&attr, reply)?;
        fits(reply.put(&OpenOut { open_flags: FOPEN_KEEP_CACHE, ..Default::default() }))
    }

    pub(super) fn readlink(&self, ino: Ino, who: &Caller, reply: &mut Reply) -> Handled {
        let standing = LazyCell::new(|| Standing::of(who));
        let target = self.vfs.readlink_as(ino, &|dir, list| standing.may_search(dir, list, who.uid))?;
        if !reply.put_bytes(&target) {
            return Err(Errno(libc::ENAMETOOLONG));
        }
        Ok(Outcome::Done)
    }
}
