//! Extended attributes.

use super::{Errno, Handled, Handler, Outcome, done, fits};
use crate::abi::flags::SETXATTR_ACL_KILL_SGID;
use crate::abi::{SetxattrIn, XattrSizeOut};
use crate::caller::{Capability, Standing};
use crate::wire::Reply;
use hn4_core::base::Ino;
use hn4_core::vfs::api::{Caller, SetAttr, Vfs};

/// The two names the kernel keeps ACLs under.
const ACL_PREFIX: &[u8] = b"system.posix_acl_";

impl<V: Vfs> Handler<V> {
    /// Without POSIX_ACL the kernel would store ACLs that nobody enforces.
    fn refuse_idle_acl(&self, name: &[u8]) -> Result<(), Errno> {
        match name.starts_with(ACL_PREFIX) && !self.settings.posix_acl {
            true => Err(Errno(libc::EOPNOTSUPP)),
            false => Ok(()),
        }
    }

    pub(super) fn setxattr(
        &self,
        ino: Ino,
        name: &[u8],
        value: &[u8],
        args: &SetxattrIn,
        who: &Caller,
    ) -> Handled {
        self.refuse_idle_acl(name)?;
        self.vfs.setxattr(ino, name, value, args.flags)?;
        if args.setxattr_flags & SETXATTR_ACL_KILL_SGID != 0 {
            let mode = self.vfs.getattr(ino)?.mode & 0o7777 & !libc::S_ISGID;
            self.vfs.setattr(ino, &SetAttr { mode: Some(mode), ..Default::default() }, who)?;
        }
        Ok(Outcome::Done)
    }

    pub(super) fn getxattr(&self, ino: Ino, name: &[u8], size: u32, reply: &mut Reply) -> Handled {
        self.refuse_idle_acl(name)?;
        sized(&self.vfs.getxattr(ino, name)?, size, reply)
    }

    /// As Linux has it, attributes of the administrator show nobody else even their names.
    pub(super) fn listxattr(&self, ino: Ino, size: u32, who: &Caller, reply: &mut Reply) -> Handled {
        let mut names = self.vfs.listxattr(ino)?;
        let is_trusted = |name: &[u8]| name.starts_with(b"trusted.");
        let has_trusted = names.split(|byte| *byte == 0).any(is_trusted);
        if has_trusted && !Standing::of(who).has(Capability::SysAdmin) {
            let shown = names.split_inclusive(|byte| *byte == 0).filter(|name| !is_trusted(name));
            names = shown.flatten().copied().collect();
        }
        sized(&names, size, reply)
    }

    pub(super) fn removexattr(&self, ino: Ino, name: &[u8]) -> Handled {
        self.refuse_idle_acl(name)?;
        done(self.vfs.removexattr(ino, name))
    }
}

/// A value for a caller who has `size` bytes, 0 to ask for its length.
fn sized(value: &[u8], size: u32, reply: &mut Reply) -> Handled {
    if size == 0 {
        return fits(reply.put(&XattrSizeOut { size: value.len() as u32, padding: 0 }));
    }
    if value.len() > size as usize {
        return Err(Errno(libc::ERANGE));
    }
    fits(reply.put_bytes(value))
}
