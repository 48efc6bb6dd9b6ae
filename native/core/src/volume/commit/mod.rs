//! The commit: its thread, what it places, its record, checkpoints, and deleting for good.
//!
//! Doors: Checkpointer::*, Committer::*, Image::new, adopt_orphans, reap_if_unused

mod checkpoint;
mod committer;
mod image;
mod place;
mod reaper;
mod record;
mod thread;

pub(in crate::volume) use checkpoint::{Checkpointer, Parts};
pub(in crate::volume) use committer::Committer;
pub(in crate::volume) use image::Image;
pub(in crate::volume) use reaper::Reaper;
