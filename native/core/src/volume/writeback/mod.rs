//! From memory to blocks: where delayed data, META blocks and the overwrite area go.

mod data;
mod delayed;
mod meta;
mod overwrites;
mod release;
mod slot;

pub(in crate::volume) use data::{Share, runs_of};
pub(in crate::volume) use delayed::clear_behind;
pub(in crate::volume) use release::owns_less;
