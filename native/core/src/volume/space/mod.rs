//! Counts of blocks: what will be there, and what can be written before the next proof.
//!
//! Doors: Credits::*, Numbers::*, Space::*

mod counts;
mod credits;

pub use counts::Purpose;
pub(in crate::volume) use counts::{Numbers, Space};
pub(in crate::volume) use credits::{CREDIT, Credit, Credits};
