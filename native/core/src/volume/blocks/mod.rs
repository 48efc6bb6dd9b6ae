//! Where a block is, what makes it live, what frees it.

mod codec;
mod find;
mod overwrites;
mod table;

pub(in crate::volume) use crate::format::{bit, set_bit};
pub(in crate::volume) use codec::Coder;
pub(in crate::volume) use find::Extent;
pub(in crate::volume) use overwrites::Overwrites;
pub(in crate::volume) use table::{BlockKey, BlockTable};
