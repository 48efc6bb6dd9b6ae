//! The lock of an image: on the open file, and on the image behind it if that is a loop device.

use crate::base::{Result, shown};
use crate::device::host::{error, lock, loop_device, sys};
use std::fs::{File, OpenOptions};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Keeps other openers out while it lives: all of them, or those that want to write.
pub struct ImageLock {
    /// Shares the open file, and so its lock, with whoever took it.
    file: File,
    /// The image behind a loop device, open to hold its lock.
    backing: Option<File>,
}

impl ImageLock {
    /// Locks the image or block device that is open as `fd`; `path` is its name. An exclusive lock needs a
    /// descriptor that may write. Errors: `Busy`, naming who is in the way; the host's, where it has no locks.
    pub fn take(fd: BorrowedFd<'_>, path: &Path, exclusive: bool) -> Result<ImageLock> {
        let failed = |cause: std::io::Error| error::open(&shown(path), &cause);
        let file = File::from(fd.try_clone_to_owned().map_err(failed)?);
        lock::acquire(&file, path, exclusive)?;
        let mut taken = ImageLock { file, backing: None };
        let stat = taken.file.metadata().map_err(failed)?;
        if stat.file_type().is_block_device() {
            taken.backing = lock_backing(&taken.file, stat.rdev(), exclusive)?;
        }
        Ok(taken)
    }
}

impl ImageLock {
    /// The image behind a loop device.
    pub(super) fn backing(&self) -> Option<&File> {
        self.backing.as_ref()
    }
}

impl Drop for ImageLock {
    fn drop(&mut self) {
        lock::release(&self.file);
        self.backing.iter().for_each(lock::release);
    }
}

/// Locks the image file behind a loop device, so that an opener of the image itself is refused.
/// None where there is none or it cannot be reached from here (deleted, another mount namespace).
fn lock_backing(device: &File, rdev: u64, exclusive: bool) -> Result<Option<File>> {
    let Ok(id) = sys::loop_backing(device) else { return Ok(None) };
    let Some(path) = loop_device::backing_path(rdev) else { return Ok(None) };
    let opened = OpenOptions::new().read(true).write(exclusive).custom_flags(libc::O_NONBLOCK).open(&path);
    let Ok(file) = opened else { return Ok(None) };
    match file.metadata() {
        Ok(stat) if (stat.dev(), stat.ino()) == id => {
            lock::acquire(&file, &path, exclusive)?;
            Ok(Some(file))
        }
        _ => Ok(None),
    }
}
