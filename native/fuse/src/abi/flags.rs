//! Flag words of linux/fuse.h.

/// INIT, FUSE_*: bits 0 to 31 in `flags`, 32 to 63 in `flags2`.
pub mod init {
    pub const ASYNC_READ: u64 = 1 << 0;
    pub const ATOMIC_O_TRUNC: u64 = 1 << 3;
    pub const BIG_WRITES: u64 = 1 << 5;
    pub const DONT_MASK: u64 = 1 << 6;
    pub const DO_READDIRPLUS: u64 = 1 << 13;
    pub const READDIRPLUS_AUTO: u64 = 1 << 14;
    pub const ASYNC_DIO: u64 = 1 << 15;
    pub const WRITEBACK_CACHE: u64 = 1 << 16;
    pub const NO_OPEN_SUPPORT: u64 = 1 << 17;
    pub const PARALLEL_DIROPS: u64 = 1 << 18;
    pub const POSIX_ACL: u64 = 1 << 20;
    pub const MAX_PAGES: u64 = 1 << 22;
    pub const CACHE_SYMLINKS: u64 = 1 << 23;
    pub const NO_OPENDIR_SUPPORT: u64 = 1 << 24;
    pub const EXPLICIT_INVAL_DATA: u64 = 1 << 25;
    pub const HANDLE_KILLPRIV_V2: u64 = 1 << 28;
    pub const SETXATTR_EXT: u64 = 1 << 29;
    pub const INIT_EXT: u64 = 1 << 30;
    pub const OVER_IO_URING: u64 = 1 << 41;
}

/// SETATTR `valid`, FATTR_*.
pub mod fattr {
    pub const MODE: u32 = 1 << 0;
    pub const UID: u32 = 1 << 1;
    pub const GID: u32 = 1 << 2;
    pub const SIZE: u32 = 1 << 3;
    pub const ATIME: u32 = 1 << 4;
    pub const MTIME: u32 = 1 << 5;
    pub const ATIME_NOW: u32 = 1 << 7;
    pub const MTIME_NOW: u32 = 1 << 8;
    pub const CTIME: u32 = 1 << 10;
    pub const KILL_SUIDGID: u32 = 1 << 11;
}

/// FOPEN_KEEP_CACHE: opening does not drop cached pages.
pub const FOPEN_KEEP_CACHE: u32 = 1 << 1;
/// FOPEN_CACHE_DIR: the kernel may cache the listing.
pub const FOPEN_CACHE_DIR: u32 = 1 << 3;
/// FUSE_WRITE_CACHE: pages are written back; the request's caller is nobody.
pub const WRITE_CACHE: u32 = 1 << 0;
/// FUSE_WRITE_KILL_SUIDGID.
pub const WRITE_KILL_SUIDGID: u32 = 1 << 2;
/// FUSE_OPEN_KILL_SUIDGID.
pub const OPEN_KILL_SUIDGID: u32 = 1 << 0;
/// FUSE_FSYNC_FDATASYNC.
pub const FSYNC_FDATASYNC: u32 = 1 << 0;
/// FUSE_SETXATTR_ACL_KILL_SGID.
pub const SETXATTR_ACL_KILL_SGID: u32 = 1 << 0;
/// FUSE_NOTIFY_INVAL_INODE.
pub const NOTIFY_INVAL_INODE: i32 = 2;
/// FUSE_NOTIFY_INVAL_ENTRY.
pub const NOTIFY_INVAL_ENTRY: i32 = 3;
