//! Where a block is, what makes it live, what frees it.

mod find;
mod overwrites;
mod table;

pub(in crate::volume) use find::Extent;
pub(in crate::volume) use overwrites::AreaIndex;
pub(in crate::volume) use table::{BlockTable, Claim, bit, copy_of, is_unwritten, set_bit};
