//! What tests share (compiled for tests and with the feature `testing`): volumes, the check of their bytes,
//! a file system in memory as their model, random numbers, damage. The devices of tests are in `device::testing`.

mod check;
mod codec;
mod damage;
mod forge;
mod format;
#[cfg(test)]
mod format_tests;
mod memvfs;
mod random;
mod seeds;
mod sizes;
mod system_files;
mod tree;
#[cfg(test)]
mod vectors_test;
mod volumes;

pub use check::{Report, check_volume};
pub use codec::{XorCodec, codec_of};
pub use damage::{copy_block, flip, read_block, zero};
pub use forge::{forge_page, forge_slot, geometry_of};
#[cfg(test)]
pub(crate) use format::make_superblock;
pub use format::{FormatOptions, format_volume};
pub use memvfs::{Hook, MemVfs};
pub use random::{Rng, noise};
pub use seeds::with_seeds;
pub use sizes::{Sizes, choose_sizes};
pub use tree::{Found, Tree, read_only_tree, read_tree};
pub use volumes::{demand_sound, formatted, loud, open, sequential, try_open};
