//! File contents: READ, WRITE, FALLOCATE, LSEEK, COPY_FILE_RANGE, FSYNC.

use super::set_id::SetId;
use super::{Errno, Handled, Handler, Outcome, done, fits};
use crate::abi::flags::{FSYNC_FDATASYNC, WRITE_CACHE, WRITE_KILL_SUIDGID};
use crate::abi::{
    CopyIn, CopyOut, FallocateIn, FsyncIn, InHeader, ReadIn, SeekIn, SeekOut, WriteIn, WriteOut,
};
use crate::wire::Reply;
use hn4_core::base::Ino;
use hn4_core::vfs::api::{Caller, Seek, Vfs};

/// Bytes copied per COPY_FILE_RANGE at most: callers loop, and a signal is not kept waiting.
const COPY_MAX: u64 = 128 << 20;

impl<V: Vfs> Handler<V> {
    pub(super) fn read(&self, ino: Ino, args: &ReadIn, reply: &mut Reply) -> Handled {
        let room = reply.room(args.size as usize).ok_or(Errno(libc::EINVAL))?;
        let count = self.vfs.read(ino, args.offset, room)?;
        reply.set_len(count.min(args.size as usize));
        Ok(Outcome::Done)
    }

    pub(super) fn write(
        &self,
        ino: Ino,
        args: &WriteIn,
        data: &[u8],
        who: &Caller,
        reply: &mut Reply,
    ) -> Handled {
        let has = |flag| args.write_flags & flag != 0;
        let count = if has(WRITE_CACHE) {
            // Pages have no caller: write() took the bits when it filled them, and stores through
            // mappings take none, on no filesystem of Linux.
            let taken = self.vfs.write_back(ino, args.offset, data);
            if taken.is_err() {
                let end = args.offset.saturating_add(data.len() as u64).min(i64::MAX as u64);
                self.connection.refused.note(ino, args.offset.min(end)..end);
            }
            taken?
        } else {
            self.asks_append(ino, args.flags)?;
            let set_id = if has(WRITE_KILL_SUIDGID) { SetId::Loses } else { SetId::Keeps };
            self.changing(ino, who, set_id, |vfs| vfs.write(ino, args.offset, data, false))?
        };
        fits(reply.put(&WriteOut { size: count as u32, padding: 0 }))
    }

    pub(super) fn fallocate(&self, header: &InHeader, args: &FallocateIn, who: &Caller) -> Handled {
        let running = self.interrupts.begin(header.unique);
        let ino = header.nodeid;
        self.changing(ino, who, SetId::Ask, |vfs| {
            vfs.fallocate_until(ino, args.mode, args.offset, args.length, &running.stop)
        })?;
        Ok(Outcome::Done)
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
    pub(super) fn copy(
        &self,
        header: &InHeader,
        args: &CopyIn,
        wide: bool,
        who: &Caller,
        reply: &mut Reply,
    ) -> Handled {
        if args.flags != 0 {
            return Err(Errno(libc::EINVAL));
        }
        // Linux copies into no descriptor with O_APPEND, and an append-only file has no others.
        self.asks_append(args.nodeid_out, 0)?;
        let length = args.len.min(COPY_MAX);
        let running = self.interrupts.begin(header.unique);
        let count = self.changing(args.nodeid_out, who, SetId::Ask, |vfs| {
            let (from, to) = (header.nodeid, args.nodeid_out);
            vfs.copy_range_until(from, args.off_in, to, args.off_out, length, &running.stop)
        })?;
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
