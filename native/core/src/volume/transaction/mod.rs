//! Entering the running transaction, and asking for its commit (the transaction itself: crate::transaction).

mod enter;
mod requests;

pub(in crate::volume) use requests::CommitState;
pub use requests::CommitStats;
