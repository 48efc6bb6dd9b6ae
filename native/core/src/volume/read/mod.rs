//! Reading: what is at an index, its bytes, data and holes.
//!
//! Doors: Mapping, Mapping::*, Neighbours, Neighbours::forget, Neighbours::rest, mapping, next_owned,
//! read, read_block, seek

mod data;
mod map;
#[cfg(test)]
mod map_tests;
mod neighbours;
#[cfg(test)]
mod neighbours_tests;
mod seek;

pub(in crate::volume) use map::Holds;
pub(in crate::volume) use neighbours::Neighbours;
