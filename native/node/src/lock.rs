//! The lock of an image, for a program that reads or writes it without the engine.

use crate::failure::Failure;
use crate::host::{Outcome, outcome};
use crate::path::host_path;
use hn4_core::device::ImageLock as Lock;
use napi::bindgen_prelude::Utf16String;
use napi_derive::napi;
use std::os::fd::BorrowedFd;

/// A lock that is held until `release`, or until the process ends. Keep it: a lost one may be given up.
#[napi]
pub struct ImageLock(Option<Lock>);

/// Locks the image that is open as `fd`, exclusively or together with other readers: the lock, or a failure,
/// `Busy` if somebody is in the way.
#[napi(ts_return_type = "ImageLock | Failure")]
pub fn lock_image(fd: i32, path: Utf16String, exclusive: bool) -> Outcome<ImageLock> {
    outcome(|| {
        if fd < 0 {
            return Err(Failure::new("EINVAL", "not a descriptor"));
        }
        // SAFETY: not -1, and open during the call: the caller, on this thread, closes it later.
        let fd = unsafe { BorrowedFd::borrow_raw(fd) };
        Ok(ImageLock(Some(Lock::take(fd, &host_path(&path), exclusive)?)))
    })
}

#[napi]
impl ImageLock {
    #[napi]
    pub fn release(&mut self) {
        self.0 = None;
    }
}
