//! The kernel's readahead for a mount.

use crate::mount::Device;
use std::{fs, io};

/// Lets the kernel read ahead up to `kib` KiB (its default is 128). Root only.
pub fn set_read_ahead(device: Device, block_device: bool, kib: u32) -> io::Result<()> {
    let Device { major, minor } = device;
    // fs/fuse/inode.c, fuse_bdi_init.
    let suffix = if block_device { "-fuseblk" } else { "" };
    fs::write(format!("/sys/class/bdi/{major}:{minor}{suffix}/read_ahead_kb"), kib.to_string())
}
