//! Files in memory: the inode, the cache of them, how one is found and loaded.

mod agenda;
mod cache;
mod changed;
mod extensions;
mod load;
mod locked;
mod meta_blocks;
mod slot_pages;
mod state;
mod xattrs;

pub(in crate::volume) use agenda::Agenda;
pub use cache::Inodes;
pub use locked::{Locked, Shared, View};
pub(in crate::volume) use meta_blocks::{MetaBlock, MetaBlocks};
pub(in crate::volume) use slot_pages::SlotPages;
pub(in crate::volume) use state::{BlockBytes, Delayed};
pub use state::{Inode, InodeState};
