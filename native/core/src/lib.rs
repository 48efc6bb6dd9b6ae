//! hn4-core: the engine of the hn4 filesystem, free of Node and of FUSE.
//!
//! Import direction (docs/architecture.md): base < format < device <
//! { cortex, allocator, chronicle } < volume < vfs.

pub mod base;
pub mod device;
pub mod format;
pub mod pages;
pub mod vfs;
