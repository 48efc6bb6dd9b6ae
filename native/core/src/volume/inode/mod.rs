//! Files in memory: the inode, the cache of them, how one is found and loaded.

mod cache;
mod extensions;
mod load;
mod slot_pages;
mod state;
mod xattrs;

pub use cache::Inodes;
pub(in crate::volume) use load::stopped;
pub(in crate::volume) use slot_pages::SlotPages;
pub(in crate::volume) use state::{BlockBytes, Delayed};
pub use state::{Inode, InodeState};
