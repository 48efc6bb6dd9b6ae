//! From memory to blocks: where delayed data, META blocks and the overwrite area go.
//!
//! Doors: advance_mass, drop_delayed, forget_equation_if_empty, free_blocks, free_removed_meta,
//! overwrites_to_memory, place_data, place_meta, place_whole, plan_file, put_delayed, release_promise,
//! room_for, write_slot

mod data;
mod delayed;
mod meta;
mod overwrites;
#[cfg(test)]
mod overwrites_tests;
mod promise;
mod release;
mod slot;

pub(in crate::volume) use data::{Share, runs_of};
pub(in crate::volume) use delayed::clear_behind;
pub(in crate::volume) use release::owns_less;
