//! Sizes: full volumes, crowded directories, a sparse file of 16 TiB. With `HN4_LONG=1` also those
//! that take minutes.

mod full;
mod large;
mod overwrite;
mod sparse;

use hn4_core::device::testing::MemDevice;
use hn4_core::testing::{Report, Rng, demand_sound};
use hn4_core::vfs::{Caller, FileSystem, Vfs};

const ROOT: u64 = 1;
const BLOCK: u64 = 4096;

fn long_run() -> bool {
    std::env::var_os("HN4_LONG").is_some()
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
    demand_sound(device, "after the close")
}
