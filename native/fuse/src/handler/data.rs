//! File contents: READ, WRITE, LSEEK, COPY_FILE_RANGE, FSYNC.

use super::{Errno, Handled, Handler, Outcome, done, fits};
use crate::abi::flags::{FSYNC_FDATASYNC, WRITE_KILL_SUIDGID};
use crate::abi::{CopyIn, CopyOut, FsyncIn, ReadIn, SeekIn, SeekOut, WriteIn, WriteOut};
use crate::wire::Reply;
use hn4_core::base::Ino;
use hn4_core::vfs::api::{Seek, Vfs};

/// Bytes copied per COPY_FILE_RANGE at most: callers loop, and a signal is not kept waiting.
const COPY_MAX: u64 = 128 << 20;

impl<V: Vfs> Handler<V> {
    pub(super) fn read(&self, ino: Ino, args: &ReadIn, reply: &mut Reply) -> Handled {
        let room = reply.room(args.size as usize).ok_or(Errno(libc::EINVAL))?;
        let count = self.vfs.read(ino, args.offset, room)?;
        reply.set_len(count.min(args.size as usize));
        Ok(Outcome::Done)
    }

    pub(super) fn write(&self, ino: Ino, args: &WriteIn, data: &[u8], reply: &mut Reply) -> Handled {
        let kill = args.write_flags & WRITE_KILL_SUIDGID != 0;
        let count = self.vfs.write(ino, args.offset, data, kill)?;
        fits(reply.put(&WriteOut { size: count as u32, padding: 0 }))
    }

    pub(super) fn seek(&self, ino: Ino, args: &SeekIn, reply: &mut Reply) -> Handled {
        let what = match args.whence as i32 {
            libc::SEEK_DATA => Seek::Data,
            libc::SEEK_HOLE => Seek::Hole,
            _ => return Err(Errno(libc::EINVAL)),
        };
        let offset = self.vfs.seek(ino, args.offset, what)?;
        fits(reply.put(&SeekOut { offset }))
    }

    /// `wide` tells the form of the reply: 64 bits (7.45) or 32.
    pub(super) fn copy(&self, from: Ino, args: &CopyIn, wide: bool, reply: &mut Reply) -> Handled {
        if args.flags != 0 {
            return Err(Errno(libc::EINVAL));
        }
        let length = args.len.min(COPY_MAX);
        let count = self.vfs.copy_range(from, args.off_in, args.nodeid_out, args.off_out, length)?;
        fits(if wide {
            reply.put(&CopyOut { bytes_copied: count })
        } else {
            reply.put(&WriteOut { size: count as u32, padding: 0 })
        })
    }

    pub(super) fn fsync(&self, ino: Ino, args: &FsyncIn) -> Handled {
        done(self.vfs.fsync(ino, args.fsync_flags & FSYNC_FDATASYNC != 0))
    }
}
