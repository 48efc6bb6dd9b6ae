//! Attaching a FUSE connection to a directory, and taking it off again.

mod direct;
mod error;
mod fusermount;
mod options;
mod path;

use crate::transport::open_device;
pub use error::MountError;
pub(crate) use error::Step;
pub use options::{MountFlag, MountOptions};
use path::c_path;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// A mount made here.
pub struct Attached {
    /// Absolute, without symlinks.
    mountpoint: PathBuf,
    method: Method,
}

enum Method {
    /// mount(2) and umount2(2).
    Direct,
    /// fusermount3. The socket, where kept, makes it unmount when this process dies.
    Fusermount { _alive: Option<UnixStream> },
}

/// Mounts: by mount(2) as root, else by fusermount3. Also returns the connection.
pub fn attach(options: &MountOptions) -> Result<(Attached, OwnedFd), MountError> {
    let fail = |step| move |error| MountError::new(step, options, error);
    let mountpoint = options.mountpoint.canonicalize().map_err(fail(Step::Mountpoint))?;
    let (method, device) = if is_root() && !options.auto_unmount {
        let device = open_device().map_err(fail(Step::Device))?;
        direct::mount(options, &mountpoint, &device).map_err(fail(Step::Mount))?;
        (Method::Direct, device)
    } else {
        let (device, socket) = fusermount::mount(options, &mountpoint).map_err(fail(Step::Fusermount))?;
        (Method::Fusermount { _alive: options.auto_unmount.then_some(socket) }, device)
    };
    Ok((Attached { mountpoint, method }, device))
}

impl Attached {
    pub fn mountpoint(&self) -> &Path {
        &self.mountpoint
    }

    /// The device number of what is mounted at the mountpoint. Does not ask the session.
    pub fn device(&self) -> io::Result<Device> {
        let path = c_path(&self.mountpoint)?;
        let mut found = MaybeUninit::<libc::statx>::zeroed();
        let flags = libc::AT_STATX_DONT_SYNC | libc::AT_NO_AUTOMOUNT;
        // SAFETY: `path` is a C string and `found` has room for the kernel's record.
        let result = unsafe { libc::statx(libc::AT_FDCWD, path.as_ptr(), flags, 0, found.as_mut_ptr()) };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: zeroed at first, filled by the successful call; every bit pattern is valid.
        let found = unsafe { found.assume_init() };
        Ok(Device { major: found.stx_dev_major, minor: found.stx_dev_minor })
    }

    /// Unmounts. `lazy`: off the tree now, ends when the last open file closes. Not lazy: EBUSY
    /// while anything is open.
    pub fn detach(&self, lazy: bool) -> io::Result<()> {
        match self.method {
            Method::Direct => direct::unmount(&self.mountpoint, lazy),
            Method::Fusermount { .. } => fusermount::unmount(&self.mountpoint, lazy),
        }
    }
}

/// A device number as mount tables print it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    pub major: u32,
    pub minor: u32,
}

/// Unmounts what another process mounted; `mountpoint` is absolute and is not resolved, so that a
/// mount whose process has died can be taken off. As [`Session::unmount`](crate::Session::unmount).
pub fn unmount(mountpoint: &Path, lazy: bool) -> io::Result<()> {
    if is_root() { direct::unmount(mountpoint, lazy) } else { fusermount::unmount(mountpoint, lazy) }
}

/// Changes the flags of a mount of any process, all of which are given. EBUSY: files are open for writing that
/// is to become read-only. EPERM: only root may.
pub fn remount(mountpoint: &Path, read_only: bool, flags: &[MountFlag]) -> io::Result<()> {
    direct::remount(mountpoint, read_only, flags)
}

pub fn is_root() -> bool {
    // SAFETY: geteuid has no preconditions and cannot fail.
    unsafe { libc::geteuid() == 0 }
}
