//! How a mount ended, left for `hn4 umount`, which is not the daemon's parent and so gets no exit code of it.
//!
//! An unnamed file in memory, found by its descriptor in /proc/PID/fd: who may look there may read it, and keeps it
//! when the process has gone. Empty: the process ended without a word.

use crate::failure::Failure;
use crate::host::{Outcome, outcome};
use napi_derive::napi;
use parking_lot::Mutex;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::FromRawFd;

static WORDS: Mutex<Option<File>> = Mutex::new(None);

/// Opens the file. Its name is the one that `src/mount/last-words.ts` looks for.
#[napi(ts_return_type = "undefined | Failure")]
pub fn keep_last_words() -> Outcome<()> {
    outcome(|| {
        // SAFETY: a C string; the descriptor is nobody else's.
        let number = unsafe { libc::memfd_create(c"hn4-last-words".as_ptr(), libc::MFD_CLOEXEC) };
        if number < 0 {
            return Err(io::Error::last_os_error().into());
        }
        // SAFETY: just made.
        *WORDS.lock() = Some(unsafe { File::from_raw_fd(number) });
        Ok(())
    })
}

/// Writes them. Call once, when nothing follows that could change how it ended.
#[napi(ts_return_type = "undefined | Failure")]
pub fn last_words(text: String) -> Outcome<()> {
    outcome(|| match WORDS.lock().as_mut() {
        Some(file) => Ok(file.write_all(text.as_bytes())?),
        None => Err(Failure::new("EINVAL", "there is no file for them")),
    })
}
