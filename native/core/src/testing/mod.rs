//! Helpers of tests (compiled for tests and with the feature `testing`).

mod format;
#[cfg(test)]
mod ram;
mod sizes;
mod system_files;

#[cfg(test)]
pub(crate) use format::make_superblock;
pub use format::{FormatOptions, format_volume};
#[cfg(test)]
pub(crate) use ram::RamDevice;
pub use sizes::{Sizes, choose_sizes};
