//! Helpers of tests (compiled for tests and with the feature `testing`).

mod format;
#[cfg(test)]
mod ram;
#[cfg(test)]
mod seeds;
mod sizes;
mod system_files;

#[cfg(test)]
pub(crate) use format::make_superblock;
pub use format::{FormatOptions, format_volume};
#[cfg(test)]
pub(crate) use ram::RamDevice;
#[cfg(test)]
pub(crate) use seeds::{Rng, with_seeds};
pub use sizes::{Sizes, choose_sizes};
