//! Volumes of tests: formatted, opened, checked.

use super::{FormatOptions, Report, check_volume, format_volume};
use crate::base::Result;
use crate::device::Device;
use crate::device::testing::MemDevice;
use crate::vfs::FileSystem;
use crate::volume::{OpenOptions, OpenReport, Reporter, Volume};
use std::sync::Arc;

/// A device in memory that holds a new volume.
pub fn formatted(options: &FormatOptions) -> Arc<MemDevice> {
    let device = MemDevice::new(options.block_count);
    format_volume(&device, options).expect("the volume is large enough");
    Arc::new(device)
}

/// The defaults, with the volume's lines on stderr: a test that fails shows them.
pub fn loud() -> OpenOptions {
    OpenOptions { reporter: Reporter::new(|line| eprintln!("volume: {line}")), ..OpenOptions::default() }
}

/// The same trace for the same operations: no timers, no threads but the commit thread.
pub fn sequential() -> OpenOptions {
    OpenOptions { sequential: true, ..OpenOptions::default() }
}

/// Opens the volume on a device. Errors: those of [`Volume::open`].
pub fn try_open(device: Arc<dyn Device>, options: OpenOptions) -> Result<(FileSystem, OpenReport)> {
    let (volume, report) = Volume::open(device, options)?;
    Ok((FileSystem::new(volume), report))
}

/// Opens a volume that must open.
pub fn open(device: Arc<dyn Device>, options: OpenOptions) -> FileSystem {
    try_open(device, options).expect("the volume opens").0
}

/// Checks the bytes of a whole volume; panics with `when` and everything that is wrong.
pub fn demand_sound(device: &dyn Device, when: &str) -> Report {
    check_volume(device).unwrap_or_else(|problems| panic!("{when}:\n  {}", problems.join("\n  ")))
}
