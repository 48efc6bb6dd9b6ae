//! READDIR and READDIRPLUS.

use super::{Errno, Handled, Handler, Outcome};
use crate::abi::ReadIn;
use crate::wire::{DirWriter, LookedUp, Reply};
use hn4_core::base::Ino;
use hn4_core::vfs::api::Vfs;

impl<V: Vfs> Handler<V> {
    pub(super) fn readdir(&self, ino: Ino, args: &ReadIn, plus: bool, reply: &mut Reply) -> Handled {
        let limit = args.size as usize;
        if reply.room(limit).is_none() {
            return Err(Errno(libc::EINVAL));
        }
        let mut writer = DirWriter::new(reply, limit, plus.then_some(self.settings.validity));
        let listed = self.vfs.readdir(ino, args.offset, plus, &mut |entry| writer.put(entry));
        if plus {
            reply.looked_up = LookedUp::Entries;
        }
        match listed {
            // Entries already taken are delivered, their lookups counted; the error comes again.
            Err(error) if reply.is_empty() => Err(error.into()),
            _ => Ok(Outcome::Done),
        }
    }
}
