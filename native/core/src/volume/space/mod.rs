//! Counts of blocks: what will be there, and what can be written before the next proof.

mod counts;
mod credits;

pub use counts::For;
pub(in crate::volume) use counts::{Numbers, Space};
pub(in crate::volume) use credits::{CREDIT, Credit, Room};
