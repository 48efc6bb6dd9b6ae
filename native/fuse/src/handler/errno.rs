//! Errors on their way to the kernel.

use hn4_core::base::Error;

/// A positive errno.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub i32);

impl From<Error> for Errno {
    /// ENOSYS is never passed on from the `Vfs`: the kernel takes it as "not served by this
    /// mount", for FSYNC even as success for ever after.
    fn from(error: Error) -> Errno {
        match error.errno() {
            libc::ENOSYS => Errno(libc::EOPNOTSUPP),
            errno => Errno(errno),
        }
    }
}
