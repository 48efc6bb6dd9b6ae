//! Helpers of tests (compiled for tests and with the feature `testing`).

mod check;
mod codec;
mod format;
#[cfg(test)]
mod format_tests;
mod seeds;
mod sizes;
mod system_files;
mod tree;
#[cfg(test)]
mod vectors_test;

pub use crate::device::testing::Rng;
pub use check::{Report, check_volume};
pub use codec::{TestCodec, codec_of};
#[cfg(test)]
pub(crate) use format::make_superblock;
pub use format::{FormatOptions, format_volume};
pub use seeds::with_seeds;
pub use sizes::{Sizes, choose_sizes};
pub use tree::{Found, Tree, read_only_tree, read_tree};

/// Flips one bit of a block: the smallest damage there is.
#[cfg(test)]
pub(crate) fn flip(device: &dyn crate::device::Device, block: crate::base::BlockNumber, bit: usize) {
    let mut bytes = crate::base::AlignedBuf::zeroed(1);
    device.read(block, &mut bytes).expect("the block is inside the device");
    bytes[bit / 8] ^= 1 << (bit % 8);
    device.write(block, &bytes).expect("the block is inside the device");
}
