//! hn4-core: the engine of the hn4 filesystem, free of Node and of FUSE.
//!
//! Import direction (docs/architecture.md): base < format < device <
//! { cortex, allocator, log } < volume < vfs.

pub mod allocator;
pub mod base;
pub mod cortex;
pub mod device;
pub mod directory;
pub mod extension;
pub mod format;
pub mod log;
pub mod pages;
pub mod presence;
pub mod superblocks;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod transaction;
pub mod vfs;
pub mod volume;
