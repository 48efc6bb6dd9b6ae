//! Operations on one file: write, truncate, fallocate, copy, and giving blocks back.
//!
//! Doors: copy_range, fallocate, find_data, free_truncated, mutable, place_with_this_commit, rewritable,
//! sync_file, truncate, write, write_back

mod copy;
mod fallocate;
mod free;
pub mod guards;
#[cfg(test)]
mod refused_tests;
#[cfg(test)]
mod stop_tests;
mod sync;
mod truncate;
mod write;
