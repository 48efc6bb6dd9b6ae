//! The interface between the engine and its front ends (native FUSE session, N-API binding).
//!
//! Contract for all methods: callable from many threads at once; an error changes nothing;
//! names are bytes, 1 to 255 of them, without NUL and `/` (the implementation checks).
//! A method that returns an [`Attr`] for a *new or found name* (lookup, mknod, mkdir, symlink,
//! link, tmpfile, and readdir entries taken with `plus`) adds one to that file's lookup count;
//! [`Vfs::forget`] takes it back. A file without names lives until its lookup count is 0.

use crate::base::{Ino, Result, Stop};
use std::ops::Range;

/// Nanoseconds since 1970-01-01 UTC, negative before it (years 1678 to 2262).
pub type TimeNs = i64;

/// Who asks. The kernel checks permissions (`default_permissions`); the engine needs the owner
/// of new files.
#[derive(Clone, Copy, Debug, Default)]
pub struct Caller {
    pub uid: u32,
    pub gid: u32,
    pub pid: u32,
    /// Permission bits to clear from a new file's mode, unless its directory has a default ACL.
    pub umask: u32,
}

/// What `stat` returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attr {
    pub ino: Ino,
    /// Bytes.
    pub size: u64,
    /// Units of 512 bytes, as in `st_blocks`.
    pub blocks: u64,
    pub atime: TimeNs,
    pub mtime: TimeNs,
    pub ctime: TimeNs,
    pub btime: TimeNs,
    /// Type and permission bits, as in `st_mode`.
    pub mode: u32,
    pub nlink: u32,
    pub uid: u32,
    pub gid: u32,
    /// Linux device number of a device file (as `makedev`), else 0.
    pub rdev: u32,
    /// FS_IMMUTABLE_FL and FS_APPEND_FL (linux/fs.h), as `chattr` shows them.
    pub flags: u32,
}

/// A new time for a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetTime {
    Now,
    At(TimeNs),
}

/// What a SETATTR changes; `None` leaves a field.
#[derive(Clone, Copy, Debug, Default)]
pub struct SetAttr {
    /// Permission bits (07777); type bits are ignored.
    pub mode: Option<u32>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub size: Option<u64>,
    pub atime: Option<SetTime>,
    pub mtime: Option<SetTime>,
    pub ctime: Option<TimeNs>,
    /// Clear set-user-id, and set-group-id where the group may execute, as a write by an ordinary
    /// user does (FATTR_KILL_SUIDGID, HANDLE_KILLPRIV_V2). Means nothing for directories. Apart
    /// from this flag every change of content, size or owner removes `security.capability`.
    pub kill_suidgid: bool,
    /// Clear set-group-id, though the group may not execute: the caller is not of the group.
    pub kill_sgid: bool,
}

impl SetAttr {
    /// Takes the set-id bits that go from a file's permissions.
    pub fn take_set_id(&self, permissions: &mut u32) {
        if self.kill_suidgid {
            crate::format::slot::kill_suidgid(permissions);
        }
        if self.kill_sgid {
            *permissions &= !libc::S_ISGID;
        }
    }
}

/// One name of a directory.
pub struct DirEntry<'a> {
    pub name: &'a [u8],
    pub ino: Ino,
    /// `d_type` (DT_REG, DT_DIR, ...).
    pub kind: u8,
    /// Position after this entry: pass it to continue behind it.
    pub cookie: u64,
    /// Present when asked for with `plus`, except for `.` and `..`.
    pub attr: Option<Attr>,
}

/// What `statfs` returns; blocks of 4096 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatFs {
    pub blocks: u64,
    pub bfree: u64,
    pub bavail: u64,
    pub files: u64,
    pub ffree: u64,
}

/// SEEK_DATA or SEEK_HOLE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seek {
    Data,
    Hole,
}

/// Whether somebody may search a directory, from its attributes and its access list (the value of
/// `system.posix_acl_access`; empty: none).
pub type MaySearch<'a> = dyn Fn(&Attr, &[u8]) -> bool + 'a;

/// RENAME_* flags (linux/fs.h).
pub const RENAME_NOREPLACE: u32 = 1;
pub const RENAME_EXCHANGE: u32 = 2;
pub const RENAME_WHITEOUT: u32 = 4;

/// FALLOC_FL_* flags (linux/falloc.h).
pub const FALLOC_KEEP_SIZE: u32 = 1;
pub const FALLOC_PUNCH_HOLE: u32 = 2;
pub const FALLOC_ZERO_RANGE: u32 = 16;

/// A mounted volume as its front ends see it.
pub trait Vfs: Send + Sync + 'static {
    fn lookup(&self, parent: Ino, name: &[u8]) -> Result<Attr>;
    /// True if names in this directory, and what is known of this file, change without the kernel's
    /// doing: it is then told to remember nothing of them.
    fn is_volatile(&self, _ino: Ino) -> bool {
        false
    }
    /// Takes back `count` lookups. Never fails.
    fn forget(&self, ino: Ino, count: u64);
    fn getattr(&self, ino: Ino) -> Result<Attr>;
    fn setattr(&self, ino: Ino, set: &SetAttr, who: &Caller) -> Result<Attr>;
    fn readlink(&self, ino: Ino) -> Result<Vec<u8>>;
    /// As `readlink`, for somebody. AccessDenied: the target is a path that this file system found itself,
    /// and it leads through a directory that he may not search.
    fn readlink_as(&self, ino: Ino, may_search: &MaySearch<'_>) -> Result<Vec<u8>>;

    /// A file of any type but directory and symlink; `mode` holds the type bits.
    fn mknod(&self, parent: Ino, name: &[u8], mode: u32, rdev: u32, who: &Caller) -> Result<Attr>;
    fn mkdir(&self, parent: Ino, name: &[u8], mode: u32, who: &Caller) -> Result<Attr>;
    fn symlink(&self, parent: Ino, name: &[u8], target: &[u8], who: &Caller) -> Result<Attr>;
    fn link(&self, ino: Ino, parent: Ino, name: &[u8]) -> Result<Attr>;
    /// A regular file without a name (O_TMPFILE).
    fn tmpfile(&self, parent: Ino, mode: u32, who: &Caller) -> Result<Attr>;
    fn unlink(&self, parent: Ino, name: &[u8]) -> Result<()>;
    fn rmdir(&self, parent: Ino, name: &[u8]) -> Result<()>;
    fn rename(&self, parent: Ino, name: &[u8], new_parent: Ino, new_name: &[u8], flags: u32) -> Result<()>;

    /// Fills `buf` (page-aligned) from byte `offset`; returns how many bytes, fewer only at the end of the file.
    fn read(&self, ino: Ino, offset: u64, buf: &mut [u8]) -> Result<usize>;
    /// Takes all of `data` or fails. `kill_suidgid` as in [`SetAttr`].
    fn write(&self, ino: Ino, offset: u64, data: &[u8], kill_suidgid: bool) -> Result<usize>;
    /// As `write`, of pages that the kernel kept: there is no caller, and the file keeps its privileges.
    fn write_back(&self, ino: Ino, offset: u64, data: &[u8]) -> Result<usize>;
    /// As `write`, at the end of the file, atomically against other appends; returns the offset it went to.
    fn append(&self, ino: Ino, data: &[u8], kill_suidgid: bool) -> Result<u64>;
    /// `mode` is a set of FALLOC_* flags; 0 is the plain form.
    fn fallocate(&self, ino: Ino, mode: u32, offset: u64, length: u64) -> Result<()> {
        self.fallocate_until(ino, mode, offset, length, &Stop::default())
    }
    /// As `fallocate`. Interrupted: asked to stop; part of the range is done, and the rest as it was.
    fn fallocate_until(&self, ino: Ino, mode: u32, offset: u64, length: u64, stop: &Stop) -> Result<()>;
    fn seek(&self, ino: Ino, offset: u64, what: Seek) -> Result<u64>;
    /// Copies up to `length` bytes; returns how many.
    fn copy_range(&self, from: Ino, from_offset: u64, to: Ino, to_offset: u64, length: u64) -> Result<u64> {
        self.copy_range_until(from, from_offset, to, to_offset, length, &Stop::default())
    }
    /// As `copy_range`; fewer bytes, when asked to stop.
    fn copy_range_until(
        &self,
        from: Ino,
        from_offset: u64,
        to: Ino,
        to_offset: u64,
        length: u64,
        stop: &Stop,
    ) -> Result<u64>;
    /// Returns once everything written to the file before the call, and its name, is durable.
    fn fsync(&self, ino: Ino, data_only: bool) -> Result<()>;
    /// Returns once everything before the call is durable.
    fn syncfs(&self) -> Result<()>;

    /// Entries after `cookie` (0 = from the start, `.` and `..` included) until `take` returns false;
    /// the entry for which it returned false was not taken. `take` must not call back: it may be called inside.
    fn readdir(
        &self,
        ino: Ino,
        cookie: u64,
        plus: bool,
        take: &mut dyn FnMut(&DirEntry) -> bool,
    ) -> Result<()>;

    fn statfs(&self) -> Result<StatFs>;
    /// Tells the host that the free blocks among these bytes of the volume are unused, in runs of at least `min`
    /// bytes; returns how many bytes. NotSupported: there is no host to be told.
    fn trim(&self, bytes: Range<u64>, min: u64) -> Result<u64>;
    /// `flags`: XATTR_CREATE 1, XATTR_REPLACE 2. `system.posix_acl_access` and `_default` hold
    /// access control lists and follow the rules of [`super::acl`].
    fn setxattr(&self, ino: Ino, name: &[u8], value: &[u8], flags: u32) -> Result<()>;
    fn getxattr(&self, ino: Ino, name: &[u8]) -> Result<Vec<u8>>;
    /// Names, each followed by NUL.
    fn listxattr(&self, ino: Ino) -> Result<Vec<u8>>;
    fn removexattr(&self, ino: Ino, name: &[u8]) -> Result<()>;
    /// Sets FS_IMMUTABLE_FL and FS_APPEND_FL; any other flag is NotSupported.
    fn setflags(&self, ino: Ino, flags: u32) -> Result<()>;

    /// Whether a file is known that open() has to refuse for writing (immutable, append-only). Once true it
    /// stays so.
    fn has_marked(&self) -> bool;

    /// Commits everything, writes it home and closes the volume; later calls fail. Called once,
    /// before the kernel's DESTROY is answered or when the session ends.
    fn shutdown(&self) -> Result<()>;
}
