//! System calls of tests that mount, a line each. Where a test takes a call's success for granted, it
//! panics with the path.

use rustix::fs::{CWD, IFlags, RenameFlags, ioctl_getflags, ioctl_setflags, renameat_with};
use std::fs::{self, File, Permissions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

/// The errno of a failed call.
pub fn errno<T>(result: rustix::io::Result<T>) -> i32 {
    result.err().expect("the call fails").raw_os_error()
}

/// The errno of a failed call of std.
pub fn os_error<T>(result: std::io::Result<T>) -> i32 {
    result.err().expect("the call fails").raw_os_error().expect("with an errno")
}

/// Opens for reading and writing, made if it is not there; `flags`: further `O_*`.
pub fn open(path: impl AsRef<Path>, flags: i32) -> File {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false).custom_flags(flags);
    options.open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

/// fsync through a descriptor of its own, of a file or a directory.
pub fn fsync(path: impl AsRef<Path>) {
    File::open(path).expect("open").sync_all().expect("fsync");
}

pub fn chmod(path: impl AsRef<Path>, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("chmod");
}

/// Permission bits, with set-id and sticky.
pub fn mode(path: impl AsRef<Path>) -> u32 {
    fs::metadata(path).expect("stat").mode() & 0o7777
}

/// `chattr`: these flags and no others.
pub fn set_flags(path: impl AsRef<Path>, flags: IFlags) {
    ioctl_setflags(File::open(path).expect("open"), flags).expect("chattr");
}

/// `lsattr`.
pub fn flags(path: impl AsRef<Path>) -> IFlags {
    ioctl_getflags(File::open(path).expect("open")).expect("lsattr")
}

/// renameat2(2).
pub fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>, flags: RenameFlags) -> rustix::io::Result<()> {
    renameat_with(CWD, from.as_ref(), CWD, to.as_ref(), flags)
}

/// Waits, for a few seconds, until something holds that happens by itself; whether it does.
pub fn eventually(holds: impl Fn() -> bool) -> bool {
    for _ in 0..1_000 {
        if holds() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    holds()
}

/// A shared, writable mapping of the first bytes of a file. Nobody may truncate the file meanwhile.
pub struct Mapping {
    base: *mut u8,
    length: usize,
}

impl Mapping {
    /// `length`: a number of whole pages, no more than the file has.
    pub fn of(file: &File, length: usize) -> Mapping {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping of an open file, at an address that the kernel chooses.
        let base = unsafe {
            libc::mmap(std::ptr::null_mut(), length, protection, libc::MAP_SHARED, file.as_raw_fd(), 0)
        };
        assert_ne!(base, libc::MAP_FAILED, "mmap: {}", std::io::Error::last_os_error());
        Mapping { base: base.cast(), length }
    }

    /// Stores bytes from `at` on.
    pub fn write(&mut self, at: usize, bytes: &[u8]) {
        assert!(at <= self.length && bytes.len() <= self.length - at);
        // SAFETY: inside the mapping, checked above; `&mut self`: nobody else uses it.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.base.add(at), bytes.len()) };
    }

    /// msync(2) of all of it, and waits.
    pub fn sync(&self) {
        // SAFETY: the whole mapping.
        let done = unsafe { libc::msync(self.base.cast(), self.length, libc::MS_SYNC) };
        assert_eq!(done, 0, "msync: {}", std::io::Error::last_os_error());
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the whole mapping, which nobody can use any more.
        unsafe { libc::munmap(self.base.cast(), self.length) };
    }
}
