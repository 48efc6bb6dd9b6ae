//! Blocks of a file's own metadata: directory blocks, presence nodes.

mod blocks;
mod directories;
mod presence;
mod read;

pub(in crate::volume) use blocks::MetaBlocks;
