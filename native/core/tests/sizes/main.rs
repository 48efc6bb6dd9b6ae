//! Sizes: full volumes, crowded directories, a sparse file of 16 TiB. With `HN4_LONG=1` also those
//! that take minutes.

mod full;
mod large;
mod overwrite;
mod sparse;

use hn4_core::device::Device;
use hn4_core::device::testing::MemDevice;
use hn4_core::testing::{FormatOptions, Report, Rng, check_volume, format_volume};
use hn4_core::vfs::{Caller, FileSystem, Vfs};
use hn4_core::volume::{OpenOptions, Reporter, Volume};
use std::sync::Arc;

const ROOT: u64 = 1;
const BLOCK: u64 = 4096;

fn long_run() -> bool {
    std::env::var_os("HN4_LONG").is_some()
}

fn formatted(options: &FormatOptions) -> Arc<MemDevice> {
    let device = MemDevice::new(options.block_count);
    format_volume(&device, options).expect("formats");
    Arc::new(device)
}

fn open(device: Arc<dyn Device>) -> FileSystem {
    let options =
        OpenOptions { reporter: Reporter::new(|line| eprintln!("volume: {line}")), ..OpenOptions::default() };
    FileSystem::new(Volume::open(device, options).expect("opens").0)
}

fn file(fs: &FileSystem, name: &str) -> u64 {
    fs.mknod(ROOT, name.as_bytes(), libc::S_IFREG | 0o644, 0, &Caller::default()).expect("creates").ino
}

/// A number below `end`, by the remainder: the sequences that the figures of docs/testing.md and
/// docs/simulations.md were taken with.
fn pick(rng: &mut Rng, end: u64) -> u64 {
    rng.next_u64() % end
}

/// Closes and checks the whole volume.
fn close(fs: &FileSystem, device: &MemDevice) -> Report {
    fs.shutdown().expect("closes");
    match check_volume(device) {
        Ok(report) => report,
        Err(problems) => panic!("after the close:\n  {}", problems.join("\n  ")),
    }
}
