//! The ioctls of `chattr`, `lsattr` and `fstrim` (linux/fs.h), as 64-bit kernels number them.

use super::record;

/// FS_IOC_GETFLAGS = _IOR('f', 1, long). The value itself is an `unsigned int`.
pub const FS_IOC_GETFLAGS: u32 = 0x8008_6601;
/// FS_IOC_SETFLAGS = _IOW('f', 2, long).
pub const FS_IOC_SETFLAGS: u32 = 0x4008_6602;
/// FS_IOC_FSGETXATTR = _IOR('X', 31, struct fsxattr).
pub const FS_IOC_FSGETXATTR: u32 = 0x801c_581f;
/// FS_IOC_FSSETXATTR = _IOW('X', 32, struct fsxattr).
pub const FS_IOC_FSSETXATTR: u32 = 0x401c_5820;

/// FITRIM = _IOWR('X', 121, struct fstrim_range).
pub const FITRIM: u32 = 0xc018_5879;

/// FS_APPEND_FL: `chattr +a`.
pub const FS_APPEND_FL: u32 = 0x20;
/// FS_IMMUTABLE_FL: `chattr +i`.
pub const FS_IMMUTABLE_FL: u32 = 0x10;
/// FS_XFLAG_IMMUTABLE, the same in `struct fsxattr`.
pub const FS_XFLAG_IMMUTABLE: u32 = 0x8;
/// FS_XFLAG_APPEND.
pub const FS_XFLAG_APPEND: u32 = 0x10;

record! {
    /// struct fstrim_range: bytes. The kernel's caller finds in `len` how many were trimmed.
    FstrimRange: 24 { start: u64, len: u64, minlen: u64 }
}

record! {
    /// struct fsxattr.
    FsXattr: 28 { xflags: u32, extsize: u32, nextents: u32, projid: u32, cowextsize: u32, pad: [u8; 8] }
}
