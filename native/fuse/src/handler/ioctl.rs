//! The ioctls of `chattr` and `lsattr`, for which the kernel has checked CAP_LINUX_IMMUTABLE, and that of `fstrim`,
//! for which nobody has.

use super::{Errno, Handled, Handler, Outcome, fits};
use crate::abi::ioctl::*;
use crate::abi::{IoctlIn, IoctlOut};
use crate::wire::Reply;
use hn4_core::base::Ino;
use hn4_core::vfs::api::{Caller, Vfs};
use zerocopy::{FromBytes, Immutable, IntoBytes};

impl<V: Vfs> Handler<V> {
    pub(super) fn ioctl(
        &self,
        ino: Ino,
        args: &IoctlIn,
        data: &[u8],
        who: &Caller,
        reply: &mut Reply,
    ) -> Handled {
        match args.cmd {
            FS_IOC_GETFLAGS => answer(&self.vfs.getattr(ino)?.flags, args, reply),
            FS_IOC_SETFLAGS => {
                let (flags, _) = u32::read_from_prefix(data).map_err(|_| Errno(libc::EINVAL))?;
                self.vfs.setflags(ino, flags)?;
                fits(reply.put(&IoctlOut::default()))
            }
            FS_IOC_FSGETXATTR => {
                let xflags = to_xflags(self.vfs.getattr(ino)?.flags);
                answer(&FsXattr { xflags, ..Default::default() }, args, reply)
            }
            FS_IOC_FSSETXATTR => {
                let (wish, _) = FsXattr::read_from_prefix(data).map_err(|_| Errno(libc::EINVAL))?;
                let known = FS_XFLAG_IMMUTABLE | FS_XFLAG_APPEND;
                if wish.xflags & !known != 0 || wish.extsize | wish.projid | wish.cowextsize != 0 {
                    return Err(Errno(libc::EOPNOTSUPP));
                }
                self.vfs.setflags(ino, from_xflags(wish.xflags))?;
                fits(reply.put(&IoctlOut::default()))
            }
            FITRIM => {
                // SAFETY: asks for a number of this process.
                let own = unsafe { libc::geteuid() };
                // Other filesystems ask for CAP_SYS_ADMIN, which a request does not show.
                if who.uid != 0 && who.uid != own {
                    return Err(Errno(libc::EPERM));
                }
                let (mut range, _) = FstrimRange::read_from_prefix(data).map_err(|_| Errno(libc::EINVAL))?;
                let end = range.start.saturating_add(range.len);
                range.len = self.vfs.trim(range.start..end, range.minlen)?;
                answer(&range, args, reply)
            }
            _ => Err(Errno(libc::ENOTTY)),
        }
    }
}

fn answer<T: IntoBytes + Immutable>(value: &T, args: &IoctlIn, reply: &mut Reply) -> Handled {
    if size_of::<T>() > args.out_size as usize {
        return Err(Errno(libc::EINVAL));
    }
    if reply.put(&IoctlOut::default()) && reply.put(value) {
        Ok(Outcome::Done)
    } else {
        Err(Errno(libc::EIO))
    }
}

fn to_xflags(flags: u32) -> u32 {
    let pick = |bit, xbit| if flags & bit != 0 { xbit } else { 0 };
    pick(FS_IMMUTABLE_FL, FS_XFLAG_IMMUTABLE) | pick(FS_APPEND_FL, FS_XFLAG_APPEND)
}

fn from_xflags(xflags: u32) -> u32 {
    let pick = |xbit, bit| if xflags & xbit != 0 { bit } else { 0 };
    pick(FS_XFLAG_IMMUTABLE, FS_IMMUTABLE_FL) | pick(FS_XFLAG_APPEND, FS_APPEND_FL)
}
