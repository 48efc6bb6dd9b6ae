//! Extension records: what a file has beside its anchor and data (docs/format.md 6).
//!
//! A file's records form a chain in the extension region; a type's payload is the concatenation of
//! its records. [`Chain::read`] takes a chain from hostile units, [`Chain::plan`] finds a new set of
//! records for changed payloads that differs from the old one in few units, with units from a
//! [`UnitAllocator`].

mod allocator;
mod chain;
mod change;
mod fill;
mod plan;
mod record;
pub mod xattr;

#[cfg(test)]
mod tests;

pub use allocator::{UnitAllocator, UnitMap};
pub use chain::{Chain, Units};
pub use change::{Change, UnitRun};
pub use plan::Plan;
pub use record::{PAYLOAD_MAX, Record, Unit, XATTR_PAYLOAD_MAX, payload_max};
