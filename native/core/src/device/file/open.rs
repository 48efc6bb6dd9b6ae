//! Opening: what kinds of file are accepted, how large they are, the lock.

use super::{Discarder, FileDevice, HostFile, ImageLock, Watch};
use crate::base::{BLOCK_SIZE, Code, Error, Result, shown};
use crate::device::host::{error, sys};
use std::fs::{FileType, OpenOptions};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// How [`FileDevice::open`] opens.
#[derive(Clone, Copy, Debug)]
pub struct OpenFile {
    /// Allow writes; takes the exclusive lock instead of the shared one.
    pub write: bool,
    /// Bypass the host's page cache where the host can.
    pub direct: bool,
    /// Take the lock. Off only for a caller that holds one already, or looks at a foreign image
    /// without trusting what it reads.
    pub lock: bool,
}

impl OpenFile {
    pub const READ_ONLY: OpenFile = OpenFile { write: false, direct: true, lock: true };
    pub const READ_WRITE: OpenFile = OpenFile { write: true, direct: true, lock: true };
}

impl FileDevice {
    /// Opens an existing image file or block device.
    ///
    /// Errors: `InvalidArgument` for anything else and for one without a whole block; `Busy` when
    /// another opener's lock is in the way, naming it; `NotFound`, `AccessDenied`, `ReadOnly` and so
    /// on when the host refuses.
    pub fn open(path: &Path, how: OpenFile) -> Result<FileDevice> {
        let name = shown(path);
        let failed = |cause: std::io::Error| error::open(&name, &cause);
        // Looked at before it is opened: opening a tape or a watchdog would already act on it.
        check_kind(path, std::fs::metadata(path).map_err(failed)?.file_type())?;
        let file = OpenOptions::new()
            .read(true)
            .write(how.write)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(path)
            .map_err(failed)?;
        let stat = file.metadata().map_err(failed)?;
        check_kind(path, stat.file_type())?;
        sys::set_blocking(&file).map_err(failed)?;

        let is_block_device = stat.file_type().is_block_device();
        let bytes = if is_block_device {
            if how.write && sys::device_read_only(&file).map_err(failed)? {
                return Err(Error::new(Code::ReadOnly, format!("{name} is a read-only device")));
            }
            sys::device_size(&file).map_err(failed)?
        } else {
            stat.len()
        };
        let block_count = bytes / BLOCK_SIZE as u64;
        if block_count == 0 {
            return Err(Error::new(
                Code::InvalidArgument,
                format!("{name} holds {bytes} bytes: not one block of {BLOCK_SIZE}"),
            ));
        }
        let lock = how.lock.then(|| ImageLock::take(file.as_fd(), path, how.write)).transpose()?;
        let backing = lock.as_ref().and_then(ImageLock::backing).filter(|_| how.write);
        let watch = Watch::new(how.write.then_some(&file).into_iter().chain(backing));
        Ok(FileDevice {
            path: path.to_path_buf(),
            host: HostFile::new(file, how.direct),
            discarder: Discarder::new(is_block_device),
            block_count,
            read_only: !how.write,
            flush_failed: AtomicBool::new(false),
            watch,
            lock,
        })
    }
}

fn check_kind(path: &Path, kind: FileType) -> Result<()> {
    if kind.is_file() || kind.is_block_device() {
        return Ok(());
    }
    let what = if kind.is_dir() {
        "a directory"
    } else if kind.is_char_device() {
        "a character device"
    } else if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "something else"
    };
    Err(Error::new(
        Code::InvalidArgument,
        format!("{} is {what}, neither an image file nor a block device", shown(path)),
    ))
}
