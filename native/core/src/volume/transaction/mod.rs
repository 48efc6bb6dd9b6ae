//! Entering the running transaction, and asking for its commit (the transaction itself: crate::transaction).
//!
//! Doors: Commits::*, change, commit_all, enter, request, retry, throttle

mod commits;
mod enter;
mod requests;

pub use commits::CommitStats;
pub(in crate::volume) use commits::{Commits, Work};
