//! Files in memory: the inode, the cache of them, how one is found and loaded.
//!
//! Doors: Agenda::*, ExtensionChange::*, Inode::*, InodeState::*, Inodes::*, Locked::*, MetaBlocks::*,
//! MetaCache::*, ReadTimes::*, Shared::*, blank_slot, by_ino, catch_up_on_read_times, change_extension,
//! drop_capability, encode_slot, extension_payload, fold_read_times, inode, inode_of_entry, mark, new_inode,
//! plan_drop_capability, plan_extension, reconcile_orphan, reconcile_removed_orphan, segment_slots,
//! View::*, set_read_time, store_xattrs, trim_meta, without_capability, write_segments, xattrs

mod agenda;
mod cache;
mod changed;
mod extensions;
mod load;
mod locked;
mod meta_blocks;
mod meta_cache;
mod meta_trim;
mod read_times;
mod slot_pages;
mod state;
mod xattrs;

pub(in crate::volume) use agenda::Agenda;
pub use cache::Inodes;
pub use extensions::ExtensionChange;
pub use locked::{Locked, Shared, View};
pub(in crate::volume) use meta_blocks::{MetaBlock, MetaBlocks};
pub(in crate::volume) use slot_pages::SlotPages;
pub(in crate::volume) use state::{BlockBytes, Delayed, Promised};
pub use state::{Inode, InodeState};
pub(in crate::volume) use xattrs::xattrs_of;
