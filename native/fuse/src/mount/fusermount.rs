//! The setuid helper fusermount3: it mounts for ordinary users and sends the connection back
//! over the socket named in _FUSE_COMMFD.

use super::MountOptions;
use hn4_core::base::shown;
use std::ffi::OsStr;
use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const PROGRAM: &str = "fusermount3";

/// Mounts and returns the connection and the socket; closing the socket unmounts where
/// `auto_unmount` was asked for.
pub fn mount(options: &MountOptions, mountpoint: &Path) -> io::Result<(OwnedFd, UnixStream)> {
    let (ours, theirs) = UnixStream::pair()?;
    let number = theirs.as_raw_fd();
    let mut command = Command::new(PROGRAM);
    command.arg("-o").arg(options.fusermount_list()).arg("--").arg(mountpoint);
    command.env("_FUSE_COMMFD", number.to_string()).stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(Stdio::piped());
    // SAFETY: between fork and exec only fcntl is called, which is async-signal-safe.
    unsafe { command.pre_exec(move || keep_open(number)) };
    let mut child = command.spawn()?;
    drop(theirs);
    let received = receive(&ours);
    if let (Ok(Some(device)), true) = (&received, options.auto_unmount) {
        // It stays, watching the socket; reaped when it ends.
        std::thread::Builder::new().name("hn4-fusermount".into()).spawn(move || child.wait())?;
        return Ok((device.try_clone()?, ours));
    }
    let output = child.wait_with_output()?;
    match received? {
        Some(device) => Ok((device, ours)),
        None => Err(complaint(&output)),
    }
}

pub fn unmount(mountpoint: &Path, lazy: bool) -> io::Result<()> {
    let mut command = Command::new(PROGRAM);
    command.arg("-u");
    if lazy {
        command.arg("-z");
    }
    let output = command.arg("--").arg(mountpoint).stdin(Stdio::null()).output()?;
    if output.status.success() { Ok(()) } else { Err(complaint(&output)) }
}

/// What the helper said. "busy" keeps its errno, for callers that act on it.
fn complaint(output: &Output) -> io::Error {
    let text = shown(Path::new(OsStr::from_bytes(&output.stderr)));
    if text.contains("Device or resource busy") {
        return io::Error::from_raw_os_error(libc::EBUSY);
    }
    match text.trim() {
        "" => io::Error::other(format!("ended with {}", output.status)),
        text => io::Error::other(text.to_owned()),
    }
}

fn keep_open(number: RawFd) -> io::Result<()> {
    // SAFETY: fcntl on a descriptor number; no memory is involved.
    match unsafe { libc::fcntl(number, libc::F_SETFD, 0) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// The descriptor in the helper's message; None when it closed the socket without one.
fn receive(socket: &UnixStream) -> io::Result<Option<OwnedFd>> {
    let mut byte = 0u8;
    let mut data = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    // u64 elements: aligned for cmsghdr, and room for one descriptor.
    let mut control = [0u64; 4];
    // SAFETY: all-zero is a valid msghdr.
    let mut message: libc::msghdr = unsafe { zeroed() };
    message.msg_iov = &raw mut data;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control) as _;
    loop {
        // SAFETY: the message's pointers and lengths describe `byte` and `control`, which live on.
        let len = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_CMSG_CLOEXEC) };
        match len {
            -1 => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
            0 => return Ok(None),
            _ => break,
        }
    }
    // SAFETY: CMSG_FIRSTHDR is null or points to a whole header inside `control`, as recvmsg left it.
    let header = unsafe { libc::CMSG_FIRSTHDR(&raw const message).as_ref() };
    let Some(header) = header else { return Ok(None) };
    // SAFETY: pure arithmetic.
    let expected = unsafe { libc::CMSG_LEN(size_of::<RawFd>() as u32) };
    let is_rights = header.cmsg_level == libc::SOL_SOCKET && header.cmsg_type == libc::SCM_RIGHTS;
    if !is_rights || header.cmsg_len != expected as _ {
        return Ok(None);
    }
    // SAFETY: a SCM_RIGHTS message of this length carries one descriptor, now ours alone.
    Ok(Some(unsafe { OwnedFd::from_raw_fd(libc::CMSG_DATA(header).cast::<RawFd>().read_unaligned()) }))
}
