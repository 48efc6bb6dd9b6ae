//! From memory to blocks: where delayed data, META blocks and the overwrite area go.

mod data;
mod meta;
mod overwrites;

pub(in crate::volume) use data::{Share, runs_of};
