//! The host under a device: its system calls and errors, the lock that keeps a second writer out, and
//! who else uses an image. Nothing here knows the [`Device`](super::Device) trait.

pub(super) mod error;
mod in_use;
pub(super) mod lock;
pub(super) mod loop_device;
mod mountinfo;
pub(super) mod sys;
#[cfg(test)]
mod tests;

pub use in_use::{InUse, in_use};
