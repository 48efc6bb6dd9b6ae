//! Requests decoded from, and replies encoded into, byte slices. No I/O, no `Vfs`.
//!
//! Every transport hands in the same three pieces: header, fixed part, payload. io_uring delivers
//! them apart; for /dev/fuse [`split`] finds the border.

mod decode;
mod direntry;
mod fixed;
#[cfg(all(test, feature = "testing"))]
mod hostile;
mod reply;
mod request;
mod time;

pub use decode::decode;
pub use direntry::{DirWriter, for_each_plus_node};
pub use fixed::{Dialect, split};
pub use reply::{LookedUp, Reply, Validity, file_attr};
pub use request::{BadRequest, Forgets, Op};
pub use time::{nanoseconds, seconds};
