//! From memory to blocks: where delayed data, META blocks and the overwrite area go.
//!
//! Doors: Found::*, advance_mass, drop_delayed, overwrites_to_memory, place_data, place_meta, place_whole,
//! plan_file, plan_release, put_delayed, release, release_promise, room_for, will_free, will_free_meta,
//! write_slot

mod data;
mod delayed;
mod meta;
mod overwrites;
#[cfg(test)]
mod overwrites_tests;
mod promise;
mod release;
mod slot;

pub(in crate::volume) use data::{Share, Wanted, runs_of};
pub(in crate::volume) use delayed::clear_behind;
pub(in crate::volume) use release::{Found, Release};
