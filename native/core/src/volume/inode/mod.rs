//! Files in memory: the inode, the cache of them, how one is found and loaded.
//!
//! Doors: Agenda::*, Inode::*, InodeState::*, Inodes::*, Locked::*, MetaBlocks::*, MetaCache::*, ReadTimes::*,
//! Shared::*, blank_slot, by_ino, catch_up_on_read_times, drop_capability, drop_chain, encode_slot,
//! extension_payload, fold_read_times, inode, inode_of_entry, mark, new_inode, reconcile_orphan,
//! reconcile_removed_orphan, segment_slots, set_read_time, store_extension, store_segments,
//! store_xattrs, trim_meta, write_segments, xattrs

mod agenda;
mod cache;
mod changed;
mod extensions;
mod load;
mod locked;
mod meta_blocks;
mod meta_cache;
mod read_times;
mod slot_pages;
mod state;
mod xattrs;

pub(in crate::volume) use agenda::Agenda;
pub use cache::Inodes;
pub use locked::{Locked, Shared, View};
pub(in crate::volume) use meta_blocks::{MetaBlock, MetaBlocks};
pub(in crate::volume) use slot_pages::SlotPages;
pub(in crate::volume) use state::{BlockBytes, Delayed, Promised};
pub use state::{Inode, InodeState};
