//! The running transaction: the gate, entering it, asking for its commit.

mod enter;
mod gate;
mod requests;

pub(in crate::volume) use gate::Gate;
pub(in crate::volume) use requests::CommitState;
pub use requests::CommitStats;
