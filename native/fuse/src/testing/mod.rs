//! An in-memory file system behind [`Vfs`](hn4_core::vfs::api::Vfs): for tests of the session, for
//! profiling it, and as the model other implementations are compared with.

mod acls;
mod attributes;
pub mod calls;
mod compare;
mod content;
mod data;
mod directory;
mod listing;
mod machine;
mod memvfs;
mod names;
mod node;
mod rename;
mod state;
mod xattrs;

pub use compare::compare;
pub use machine::{LoopDevice, no_fuse, unmount_patiently};
pub use memvfs::{Hook, MemVfs};
