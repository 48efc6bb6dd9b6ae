//! An in-memory file system behind [`Vfs`](crate::vfs::api::Vfs): the model that volumes and programs'
//! lives are compared with, what the FUSE session is tested and profiled over.

mod acls;
mod attributes;
mod content;
mod data;
mod directory;
mod listing;
mod names;
mod node;
mod rename;
mod state;
mod vfs;
mod xattrs;

pub use vfs::{Hook, MemVfs};
