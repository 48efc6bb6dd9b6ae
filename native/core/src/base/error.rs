//! The engine's errors: a code of our own with a text; errno only at the edge.

use std::fmt;

/// What went wrong. Each maps to one errno (see [`Code::errno`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The device or the host refused a read, write or flush.
    Io,
    /// Stored bytes contradict their checksum or descriptor: the data is lost, not the file.
    DataDamaged,
    /// A metadata record breaks a rule of docs/format.md.
    Corrupt,
    /// No free block.
    NoSpace,
    /// The cortex and its stash are full: no anchor for another file.
    CortexFull,
    /// The extension region is full.
    ExtensionFull,
    /// The volume is read-only (asked for, or after a failed write).
    ReadOnly,
    NotFound,
    Exists,
    NotDirectory,
    IsDirectory,
    NotEmpty,
    NameTooLong,
    TooManyLinks,
    FileTooLarge,
    InvalidArgument,
    NotPermitted,
    AccessDenied,
    CrossDevice,
    NoAttribute,
    RangeTooSmall,
    TooBig,
    NotSupported,
    NotImplemented,
    NoSeekTarget,
    Stale,
    Busy,
    Interrupted,
    BadDescriptor,
    Loop,
}

impl Code {
    /// Whether it says that something is full: blocks, the table of files, extension units.
    pub fn is_no_room(self) -> bool {
        matches!(self, Code::NoSpace | Code::CortexFull | Code::ExtensionFull)
    }

    /// The errno a system call returns for this code.
    pub fn errno(self) -> i32 {
        match self {
            Code::Io | Code::DataDamaged => libc::EIO,
            Code::Corrupt => libc::EUCLEAN,
            Code::NoSpace | Code::CortexFull | Code::ExtensionFull => libc::ENOSPC,
            Code::ReadOnly => libc::EROFS,
            Code::NotFound => libc::ENOENT,
            Code::Exists => libc::EEXIST,
            Code::NotDirectory => libc::ENOTDIR,
            Code::IsDirectory => libc::EISDIR,
            Code::NotEmpty => libc::ENOTEMPTY,
            Code::NameTooLong => libc::ENAMETOOLONG,
            Code::TooManyLinks => libc::EMLINK,
            Code::FileTooLarge => libc::EFBIG,
            Code::InvalidArgument => libc::EINVAL,
            Code::NotPermitted => libc::EPERM,
            Code::AccessDenied => libc::EACCES,
            Code::CrossDevice => libc::EXDEV,
            Code::NoAttribute => libc::ENODATA,
            Code::RangeTooSmall => libc::ERANGE,
            Code::TooBig => libc::E2BIG,
            Code::NotSupported => libc::EOPNOTSUPP,
            Code::NotImplemented => libc::ENOSYS,
            Code::NoSeekTarget => libc::ENXIO,
            Code::Stale => libc::ESTALE,
            Code::Busy => libc::EBUSY,
            Code::Interrupted => libc::EINTR,
            Code::BadDescriptor => libc::EBADF,
            Code::Loop => libc::ELOOP,
        }
    }
}

/// A code, and where it happened in words (empty on hot paths: no allocation).
#[derive(Clone)]
pub struct Error {
    pub code: Code,
    detail: Option<Box<str>>,
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error with numbers and place, for a log line or a person.
    pub fn new(code: Code, detail: impl Into<String>) -> Error {
        Error { code, detail: Some(detail.into().into_boxed_str()) }
    }
    pub fn errno(&self) -> i32 {
        self.code.errno()
    }
    pub fn detail(&self) -> &str {
        self.detail.as_deref().unwrap_or("")
    }
}

impl From<Code> for Error {
    fn from(code: Code) -> Error {
        Error { code, detail: None }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.detail {
            Some(text) => write!(f, "{:?}: {text}", self.code),
            None => write!(f, "{:?}", self.code),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}
