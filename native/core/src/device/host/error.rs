//! What the host's refusals are called in the engine.

use crate::base::{Code, Error};
use std::fmt::Display;
use std::io;

/// A refused transfer: `Io`, whatever the errno (a full host under a sparse image is a failed
/// write, not a full volume).
pub(in crate::device) fn transfer(operation: &str, offset: u64, bytes: usize, cause: &dyn Display) -> Error {
    Error::new(Code::Io, format!("{operation} of {bytes} bytes at offset {offset}: {}", words(cause)))
}

/// A refusal to open or inspect `what`.
pub(in crate::device) fn open(what: &dyn Display, cause: &io::Error) -> Error {
    let code = match cause.raw_os_error() {
        Some(libc::ENOENT | libc::ENXIO | libc::ENODEV | libc::ENOTDIR) => Code::NotFound,
        Some(libc::EACCES) => Code::AccessDenied,
        Some(libc::EPERM) => Code::NotPermitted,
        Some(libc::EROFS) => Code::ReadOnly,
        Some(libc::EBUSY | libc::ETXTBSY) => Code::Busy,
        Some(libc::EISDIR) => Code::IsDirectory,
        Some(libc::ELOOP) => Code::Loop,
        Some(libc::ENAMETOOLONG) => Code::NameTooLong,
        _ => Code::Io,
    };
    Error::new(code, format!("{what}: {}", words(cause)))
}

/// The host's words without the number that Rust puts behind them.
fn words(cause: &dyn Display) -> String {
    let text = cause.to_string();
    match text.find(" (os error ") {
        Some(end) => text[..end].to_string(),
        None => text,
    }
}
