//! Ways by which requests come in and replies go out.

mod buffer;
mod choice;
mod dev_fuse;
pub mod uring;

pub use choice::{Transport, TransportChoice};

pub use dev_fuse::{clone_channel, open_device, serve};

/// Bytes of a page: the unit of the kernel's request limits and of buffer alignment.
pub const PAGE: usize = 4096;
/// Pages of data per request.
pub const MAX_PAGES: u16 = 256;
/// Bytes of data per request.
pub const MAX_PAYLOAD: usize = MAX_PAGES as usize * PAGE;
