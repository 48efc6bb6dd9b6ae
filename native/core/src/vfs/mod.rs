//! The file and directory operations a session serves, on a mounted volume.
//!
//! Every change follows one pattern: enter the transaction, lock the files in ascending number,
//! check and load everything that can fail, then change memory. An error changes nothing.

pub mod acl;
mod acls;
pub mod api;

mod attributes;
mod check;
mod create;
mod filesystem;
mod flags;
#[cfg(test)]
mod forged_tests;
mod found_names;
mod identity;
#[cfg(test)]
mod later_tests;
mod links;
mod locking;
mod names;
mod operations;
mod parents;
mod paths;
mod readdir;
#[cfg(test)]
mod readdir_tests;
mod rename;
mod stat;
mod synchronous;
#[cfg(test)]
mod times_tests;
mod unlink;
mod xattr;

pub use api::*;
pub use filesystem::FileSystem;
pub use stat::statfs;
pub use synchronous::{Synced, Synchronous};
