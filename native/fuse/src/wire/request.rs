//! A decoded request.

use crate::abi::*;
use zerocopy::FromBytes;

/// What the kernel asks for. Names and data borrow from the request's buffer; numbers in them are
/// as the kernel sent them, not yet judged.
#[derive(Clone, Copy, Debug)]
pub enum Op<'a> {
    Lookup { name: &'a [u8] },
    Forget { count: u64 },
    BatchForget(Forgets<'a>),
    Getattr,
    Statx,
    Setattr(SetattrIn),
    Readlink,
    Symlink { name: &'a [u8], target: &'a [u8] },
    Mknod { args: MknodIn, name: &'a [u8] },
    Mkdir { args: MkdirIn, name: &'a [u8] },
    Unlink { name: &'a [u8] },
    Rmdir { name: &'a [u8] },
    Rename { name: &'a [u8], new_parent: u64, new_name: &'a [u8], flags: u32 },
    Link { ino: u64, name: &'a [u8] },
    Open(OpenIn),
    Read(ReadIn),
    Write { args: WriteIn, data: &'a [u8] },
    Statfs,
    Release,
    Flush,
    Fsync(FsyncIn),
    Setxattr { args: SetxattrIn, name: &'a [u8], value: &'a [u8] },
    Getxattr { size: u32, name: &'a [u8] },
    Listxattr { size: u32 },
    Removexattr { name: &'a [u8] },
    Init(InitIn),
    Opendir,
    Readdir { args: ReadIn, plus: bool },
    Releasedir,
    Fsyncdir(FsyncIn),
    Create,
    Tmpfile(CreateIn),
    Interrupt { unique: u64 },
    Destroy,
    Ioctl { args: IoctlIn, data: &'a [u8] },
    Fallocate(FallocateIn),
    Seek(SeekIn),
    Copy { args: CopyIn, wide: bool },
    Syncfs,
}

/// Why a request could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadRequest {
    /// An opcode that is not served: ENOSYS.
    Unknown,
    /// Too short, a name without end, sizes that disagree: EINVAL.
    Malformed,
}

/// The list of a BATCH_FORGET, checked to hold whole records.
#[derive(Clone, Copy, Debug)]
pub struct Forgets<'a>(pub(super) &'a [u8]);

impl Forgets<'_> {
    pub fn iter(&self) -> impl Iterator<Item = ForgetOne> {
        self.0
            .chunks_exact(size_of::<ForgetOne>())
            .filter_map(|record| ForgetOne::read_from_bytes(record).ok())
    }
}
