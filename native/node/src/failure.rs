//! Failures as JavaScript sees them: values, not exceptions, so that code and text stay apart.

use hn4_core::base::{Code, Error};
use hn4_fuse::MountError;
use napi_derive::napi;
use std::io;

/// Why something did not work.
#[napi(object)]
pub struct Failure {
    /// A name of the engine's codes (`Busy`, `Corrupt`), or an errno (`EBUSY`), or `Panic`.
    pub code: String,
    /// One sentence; empty where the code says it all.
    pub text: String,
}

impl Failure {
    pub fn new(code: impl Into<String>, text: impl Into<String>) -> Failure {
        Failure { code: code.into(), text: text.into() }
    }
    pub fn busy(text: String) -> Failure {
        Failure::new(format!("{:?}", Code::Busy), text)
    }
    pub fn panic(text: String) -> Failure {
        Failure::new("Panic", text)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::new(format!("{:?}", error.code), error.detail())
    }
}

impl From<MountError> for Failure {
    fn from(error: MountError) -> Failure {
        Failure::new(name(error.errno()), error.to_string())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::new(name(error.raw_os_error()), error.to_string())
    }
}

/// The errnos that callers act on, by name.
fn name(errno: Option<i32>) -> &'static str {
    match errno {
        Some(libc::EBUSY) => "EBUSY",
        Some(libc::EPERM) => "EPERM",
        Some(libc::EACCES) => "EACCES",
        Some(libc::EINVAL) => "EINVAL",
        Some(libc::ENOENT) => "ENOENT",
        Some(libc::ENODATA) => "ENODATA",
        Some(libc::ENOTSUP) => "ENOTSUP",
        Some(libc::EEXIST) => "EEXIST",
        Some(libc::ENOTCONN) => "ENOTCONN",
        _ => "EIO",
    }
}
