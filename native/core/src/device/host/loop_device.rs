//! Loop devices: which image lies behind which.

use super::sys;
use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The image behind the loop device with this device number, as the kernel names it.
pub(in crate::device) fn backing_path(rdev: u64) -> Option<PathBuf> {
    let (major, minor) = (libc::major(rdev), libc::minor(rdev));
    read_path(&PathBuf::from(format!("/sys/dev/block/{major}:{minor}/loop/backing_file")))
}

/// The loop devices that an image with this (st_dev, st_ino) is attached to, as /dev paths.
pub(super) fn attached_to(id: (u64, u64)) -> Vec<PathBuf> {
    let entries = fs::read_dir("/sys/block").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let backing = read_path(&entry.path().join("loop/backing_file"))?;
            let device = Path::new("/dev").join(entry.file_name());
            (backing_id(&device, &backing)? == id).then_some(device)
        })
        .collect()
}

/// Asks the kernel, else looks up the path it gives (which may belong to another mount namespace).
fn backing_id(device: &Path, backing: &Path) -> Option<(u64, u64)> {
    let asked = File::open(device).ok().and_then(|device| sys::loop_backing(&device).ok());
    asked.or_else(|| fs::metadata(backing).ok().map(|stat| (stat.dev(), stat.ino())))
}

fn read_path(attribute: &Path) -> Option<PathBuf> {
    let mut path = fs::read(attribute).ok()?;
    if path.last() == Some(&b'\n') {
        path.pop();
    }
    (!path.is_empty()).then(|| PathBuf::from(OsString::from_vec(path)))
}
