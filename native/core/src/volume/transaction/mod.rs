//! Entering the running transaction, and asking for its commit (the transaction itself: crate::transaction).
//!
//! Doors: Commits::*, change, commit_all, credit, enter, free_on_disk, need_meta, request, retry,
//! return_credits, take_credits, take_credits_for_data, throttle

mod commits;
mod enter;
mod requests;

pub use commits::CommitStats;
pub(in crate::volume) use commits::{Commits, Work};
