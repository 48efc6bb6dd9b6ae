//! One writer per image: an OFD lock, exclusive to write, shared to read.
//!
//! Every opener that follows this rule is refused; nothing stops a program that takes no lock. The
//! kernel drops the lock when the process ends.

mod holder;
#[cfg(test)]
mod tests;

use super::{error, sys};
use crate::base::{Code, Error, Result, shown};
use std::fs::File;
use std::path::Path;

/// Takes the lock on `file`, opened from `path`. Error: `Busy`, naming who holds it, as far as this
/// process may see that.
pub(in crate::device) fn acquire(file: &File, path: &Path, exclusive: bool) -> Result<()> {
    let Err(cause) = sys::try_lock(file, exclusive) else { return Ok(()) };
    match cause.raw_os_error() {
        Some(libc::EAGAIN | libc::EACCES) => {
            let by = holder::find(file, exclusive);
            let want = if exclusive { "for writing" } else { "for reading" };
            Err(Error::new(Code::Busy, format!("cannot open {} {want}: {by}", shown(path))))
        }
        _ => Err(error::open(&format_args!("{}: lock", shown(path)), &cause)),
    }
}

/// Gives the lock up. Closing would do it later if a child that is just being started still shares
/// the open file, and the next opener would be refused for no reason it can see.
pub(in crate::device) fn release(file: &File) {
    // An error means that there is no lock.
    let _ = sys::unlock(file);
}
