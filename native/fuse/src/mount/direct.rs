//! mount(2) and umount2(2), as root.

use super::options::{MountFlag, MountOptions, SUBTYPE, kernel_flags};
use super::path::c_path;
use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

pub fn mount(options: &MountOptions, mountpoint: &Path, device: &OwnedFd) -> io::Result<()> {
    // The source is an argument of its own: whatever it contains, it is no option.
    let source = CString::new(options.source.as_bytes())?;
    let target = c_path(mountpoint)?;
    let kind = CString::new(format!("{}.{SUBTYPE}", if options.block_device { "fuseblk" } else { "fuse" }))?;
    // SAFETY: neither call has preconditions or fails.
    let (uid, gid) = unsafe { (libc::getuid(), libc::getgid()) };
    let data = CString::new(options.kernel_data(device.as_raw_fd(), uid, gid).as_bytes())?;
    let flags = options.kernel_flags();
    // SAFETY: four C strings that outlive the call.
    let result =
        unsafe { libc::mount(source.as_ptr(), target.as_ptr(), kind.as_ptr(), flags, data.as_ptr().cast()) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Changes the flags of a mount: all of them are given.
pub fn remount(mountpoint: &Path, read_only: bool, flags: &[MountFlag]) -> io::Result<()> {
    let target = c_path(mountpoint)?;
    let flags = libc::MS_REMOUNT | kernel_flags(read_only, flags);
    let nothing = std::ptr::null();
    // SAFETY: a C string that outlives the call; the kernel looks at neither source nor type nor data here.
    match unsafe { libc::mount(nothing, target.as_ptr(), nothing, flags, nothing.cast()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

pub fn unmount(mountpoint: &Path, lazy: bool) -> io::Result<()> {
    let target = c_path(mountpoint)?;
    let flags = libc::UMOUNT_NOFOLLOW | if lazy { libc::MNT_DETACH } else { 0 };
    // SAFETY: a C string that outlives the call.
    match unsafe { libc::umount2(target.as_ptr(), flags) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
