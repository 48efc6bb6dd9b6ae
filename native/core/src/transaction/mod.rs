//! The running transaction as a value (docs/design.md 7).
//!
//! One transaction runs at a time. Operations and steps of the commit thread are inside it together
//! ([`Transaction`], a share of the gate); a commit ends it while nobody is inside ([`Closed`], the gate
//! alone). Whoever changes a page, or takes what was changed, needs one of the two in hand, so that
//! nothing changes outside a transaction and nothing is taken from under a running operation.
//!
//! Do not nest: a commit that waits for the gate would block the inner entry.

pub mod cost;
mod gate;

pub use gate::{Closed, Gate, Transaction};
