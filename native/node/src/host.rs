//! System calls that Node has no function for.

use crate::failure::Failure;
use crate::mount::mount_flags;
use crate::path::{c_path, host_path};
use crate::promise::guard;
use napi::bindgen_prelude::{Buffer, Either, Utf16String};
use napi_derive::napi;
use std::ffi::{CString, OsStr};
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// What a call gives: its value, or why not.
pub type Outcome<T> = Either<T, Failure>;

pub fn outcome<T>(work: impl FnOnce() -> Result<T, Failure>) -> Outcome<T> {
    match guard(work) {
        Ok(value) => Either::A(value),
        Err(failure) => Either::B(failure),
    }
}

/// Unmounts what another process mounted: undefined, or a failure, `EBUSY` while something is open.
#[napi(ts_return_type = "undefined | Failure")]
pub fn unmount_path(mountpoint: Utf16String, lazy: bool) -> Outcome<()> {
    outcome(|| Ok(hn4_fuse::unmount(&host_path(&mountpoint), lazy)?))
}

/// Changes the flags of a mount, by their names in `-o`, to these alone: undefined, or a failure, `EBUSY` while
/// something is open for writing, `EPERM` for all but root.
#[napi(ts_return_type = "undefined | Failure")]
pub fn remount_path(mountpoint: Utf16String, read_only: bool, flags: Vec<String>) -> Outcome<()> {
    outcome(|| Ok(hn4_fuse::remount(&host_path(&mountpoint), read_only, &mount_flags(&flags)?)?))
}

/// The value of an extended attribute (the link's own, for a symbolic link), or a failure
/// (`ENODATA`: there is none).
#[napi(ts_return_type = "Buffer | Failure")]
pub fn get_xattr(path: Utf16String, name: String) -> Outcome<Buffer> {
    outcome(|| {
        let (path, name) = (c_path(&path)?, c_string(name)?);
        let value = grown(|buf, len| {
            // SAFETY: two C strings, and `len` bytes at `buf` (or 0 and null: asks for the length).
            unsafe { libc::lgetxattr(path.as_ptr(), name.as_ptr(), buf.cast(), len) }
        })?;
        Ok(value.into())
    })
}

/// Names of the extended attributes, each followed by NUL.
#[napi(ts_return_type = "Buffer | Failure")]
pub fn list_xattr(path: Utf16String) -> Outcome<Buffer> {
    outcome(|| {
        let path = c_path(&path)?;
        // SAFETY: a C string, and `len` bytes at `buf` (or 0 and null: asks for the length).
        let names = grown(|buf, len| unsafe { libc::llistxattr(path.as_ptr(), buf.cast(), len) })?;
        Ok(names.into())
    })
}

#[napi(ts_return_type = "undefined | Failure")]
pub fn set_xattr(path: Utf16String, name: String, value: Buffer) -> Outcome<()> {
    outcome(|| {
        let (path, name) = (c_path(&path)?, c_string(name)?);
        // SAFETY: two C strings and a buffer with its length, all alive during the call.
        let result =
            unsafe { libc::lsetxattr(path.as_ptr(), name.as_ptr(), value.as_ptr().cast(), value.len(), 0) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error().into()) }
    })
}

/// Gives the file that is open as `fd` all blocks of its first `bytes` bytes: undefined, or a failure, `ENOSPC`.
#[napi(ts_return_type = "undefined | Failure")]
pub fn allocate_file(fd: i32, bytes: f64) -> Outcome<()> {
    outcome(|| {
        // SAFETY: no pointers; a bad descriptor or length is an error.
        let result = unsafe { libc::fallocate64(fd, 0, 0, bytes as libc::off64_t) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error().into()) }
    })
}

/// Tells the service manager how the process stands (sd_notify(3)): `READY=1`. Does nothing where
/// nobody asked for it.
#[napi(ts_return_type = "undefined | Failure")]
pub fn notify_manager(socket: Utf16String, state: String) -> Outcome<()> {
    outcome(|| {
        let socket = host_path(&socket).into_os_string().into_vec();
        let address = match socket.strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(OsStr::from_bytes(&socket))?,
        };
        UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address)?;
        Ok(())
    })
}

/// The user at the other end of a connected Unix socket, as the kernel saw it when the connection (or
/// the listening socket) was made: unix(7), SO_PEERCRED.
#[napi(ts_return_type = "number | Failure")]
pub fn peer_uid(descriptor: i32) -> Outcome<u32> {
    outcome(|| {
        let mut peer = libc::ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
        let mut length = size_of::<libc::ucred>() as libc::socklen_t;
        // SAFETY: a ucred and its length, which the kernel fills in; a bad descriptor is an error.
        let result = unsafe {
            libc::getsockopt(
                descriptor,
                libc::SOL_SOCKET,
                libc::SO_PEERCRED,
                (&raw mut peer).cast(),
                &raw mut length,
            )
        };
        if result == 0 { Ok(peer.uid) } else { Err(io::Error::last_os_error().into()) }
    })
}

/// Closes every descriptor but stdin, stdout and stderr in programs started from now on: a daemon
/// must not keep open what its starter got from others, such as the pipes of a build.
#[napi]
pub fn keep_descriptors() {
    // SAFETY: sets flags on descriptor numbers. An old kernel refuses; then they stay as they are.
    let _ = unsafe { libc::syscall(libc::SYS_close_range, 3u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
}

/// Signals that would end the process and mean nothing to a mount have no effect from now on: timers, I/O
/// notices, and those without a meaning of their own.
#[napi]
pub fn ignore_stray_signals() {
    let named = [libc::SIGUSR2, libc::SIGALRM, libc::SIGVTALRM, libc::SIGPROF, libc::SIGIO, libc::SIGSTKFLT];
    for signal in named.into_iter().chain(libc::SIGRTMIN()..=libc::SIGRTMAX()) {
        // SAFETY: no handler of ours, and none that Node has for these.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

fn c_string(text: String) -> Result<CString, Failure> {
    CString::new(text).map_err(|_| Failure::new("EINVAL", "a name with a NUL"))
}

/// Calls once for the length and once for the bytes, again if they grew meanwhile.
fn grown(call: impl Fn(*mut u8, usize) -> isize) -> io::Result<Vec<u8>> {
    loop {
        let length =
            usize::try_from(call(std::ptr::null_mut(), 0)).map_err(|_| io::Error::last_os_error())?;
        let mut bytes = vec![0; length];
        if length == 0 {
            return Ok(bytes);
        }
        match usize::try_from(call(bytes.as_mut_ptr(), length)) {
            Ok(found) => {
                bytes.truncate(found);
                return Ok(bytes);
            }
            Err(_) if io::Error::last_os_error().raw_os_error() == Some(libc::ERANGE) => {}
            Err(_) => return Err(io::Error::last_os_error()),
        }
    }
}
