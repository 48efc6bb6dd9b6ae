//! Operations on one file: write, truncate, fallocate, copy, and giving blocks back.

mod copy;
mod fallocate;
mod free;
pub mod guards;
mod sync;
mod truncate;
mod write;
