//! Operations on one file: write, truncate, fallocate, copy, and giving blocks back.

mod copy;
mod fallocate;
mod free;
mod truncate;
mod write;

pub(in crate::volume) use write::clear_behind;
pub use write::kill_suidgid;
