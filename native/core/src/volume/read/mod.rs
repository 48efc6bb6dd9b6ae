//! Reading: what is at an index, its bytes, data and holes.

mod data;
mod map;
#[cfg(test)]
mod map_tests;
mod seek;

pub(in crate::volume) use map::Holds;
