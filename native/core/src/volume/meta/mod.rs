//! Blocks of a file's own metadata: directory blocks, presence nodes.

mod blocks;
mod directories;
mod presence;
mod read;

pub use directories::Names;
