//! How many bytes of a request are its fixed part.

use super::BadRequest;
use crate::abi::*;

/// What INIT settled about the shape of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dialect {
    /// SETXATTR carries the 16-byte record (SETXATTR_EXT).
    pub setxattr_ext: bool,
}

/// Splits a request's body, which holds at most what followed the header and no extensions, into
/// fixed part and payload.
pub fn split(opcode: u32, body: &[u8], dialect: Dialect) -> Result<(&[u8], &[u8]), BadRequest> {
    let size = match opcode {
        opcode::FORGET => size_of::<ForgetIn>(),
        opcode::GETATTR => size_of::<GetattrIn>(),
        opcode::SETATTR => size_of::<SetattrIn>(),
        opcode::MKNOD => size_of::<MknodIn>(),
        opcode::MKDIR => size_of::<MkdirIn>(),
        opcode::RENAME => size_of::<RenameIn>(),
        opcode::RENAME2 => size_of::<Rename2In>(),
        opcode::LINK => size_of::<LinkIn>(),
        opcode::OPEN | opcode::OPENDIR => size_of::<OpenIn>(),
        opcode::READ | opcode::READDIR | opcode::READDIRPLUS => size_of::<ReadIn>(),
        opcode::WRITE => size_of::<WriteIn>(),
        opcode::RELEASE | opcode::RELEASEDIR => size_of::<ReleaseIn>(),
        opcode::FSYNC | opcode::FSYNCDIR => size_of::<FsyncIn>(),
        opcode::SETXATTR if dialect.setxattr_ext => size_of::<SetxattrIn>(),
        opcode::SETXATTR => size_of::<SetxattrShortIn>(),
        opcode::GETXATTR | opcode::LISTXATTR => size_of::<GetxattrIn>(),
        opcode::FLUSH => size_of::<FlushIn>(),
        // Older kernels send the short form.
        opcode::INIT => body.len().min(size_of::<InitIn>()),
        opcode::CREATE | opcode::TMPFILE => size_of::<CreateIn>(),
        opcode::INTERRUPT => size_of::<InterruptIn>(),
        opcode::IOCTL => size_of::<IoctlIn>(),
        opcode::BATCH_FORGET => size_of::<BatchForgetIn>(),
        opcode::FALLOCATE => size_of::<FallocateIn>(),
        opcode::LSEEK => size_of::<SeekIn>(),
        opcode::COPY_FILE_RANGE | opcode::COPY_FILE_RANGE_64 => size_of::<CopyIn>(),
        opcode::SYNCFS => size_of::<SyncfsIn>(),
        opcode::STATX => size_of::<StatxIn>(),
        _ => 0,
    };
    body.split_at_checked(size).ok_or(BadRequest::Malformed)
}
