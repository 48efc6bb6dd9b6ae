//! The commit: its thread, what it places, its record, checkpoints, and deleting for good.
//!
//! Doors: Checkpointer::*, Committer::*, Image::new, adopt_orphans, describe, freeze, reap_if_unused,
//! reap_waiting

mod checkpoint;
mod committer;
#[cfg(test)]
mod dirty_pages_tests;
mod image;
#[cfg(test)]
mod long_steps_tests;
#[cfg(test)]
mod many_files_tests;
#[cfg(test)]
mod named_data_tests;
#[cfg(test)]
mod no_room_tests;
mod place;
mod reaper;
mod record;
#[cfg(test)]
mod system_files_tests;
mod thread;

pub(in crate::volume) use checkpoint::{Checkpointer, Parts};
pub(in crate::volume) use committer::Committer;
pub(in crate::volume) use image::Image;
pub(in crate::volume) use reaper::Reaper;
