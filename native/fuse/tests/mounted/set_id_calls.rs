//! Calls that change a file's content, and running its first bytes: by children of this process, each as
//! the user it is told. Between fork and exec a child makes system calls only.

use rustix::fs::{FallocateFlags, Mode, OFlags, copy_file_range, fallocate, ftruncate, open, sendfile};
use rustix::io::{Errno, Result, pwrite, write};
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};

/// An ordinary user and his group.
pub const NOBODY: u32 = 65_534;
const PAGE: usize = 4096;

#[repr(align(4096))]
struct Aligned([u8; PAGE]);
static ONES: Aligned = Aligned([1; PAGE]);

/// Changes a file somewhere from an offset on, which is that of a page.
pub type Change = fn(&CStr, u64) -> Result<()>;

/// Every call that changes content; whether it takes privileges away.
pub const CALLS: [(&str, bool, Change); 16] = [
    ("write", true, |path, at| pwrite(writable(path, OFlags::empty())?, b"x", at).map(drop)),
    ("append", true, |path, _| write(writable(path, OFlags::APPEND)?, b"x").map(drop)),
    ("direct write", true, |path, at| pwrite(writable(path, OFlags::DIRECT)?, &ONES.0, at).map(drop)),
    ("synchronous write", true, |path, at| pwrite(writable(path, OFlags::SYNC)?, b"x", at).map(drop)),
    ("copy_file_range", true, |path, mut at| {
        let (file, mut from) = (writable(path, OFlags::empty())?, 0);
        copy_file_range(&file, Some(&mut from), &file, Some(&mut at), 100).map(drop)
    }),
    ("sendfile", true, |path, at| {
        let file = writable(path, OFlags::empty())?;
        rustix::fs::seek(&file, rustix::fs::SeekFrom::Start(at))?;
        sendfile(&file, writable(path, OFlags::empty())?, Some(&mut 0), 100).map(drop)
    }),
    ("fallocate", true, |path, at| reserve(path, FallocateFlags::empty(), at, 10)),
    ("fallocate beyond the end", true, |path, at| reserve(path, FallocateFlags::empty(), at + 1000, 1 << 20)),
    ("fallocate, keep size", true, |path, at| reserve(path, FallocateFlags::KEEP_SIZE, at, 1 << 20)),
    ("punch", true, |path, at| {
        reserve(path, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, at, PAGE as u64)
    }),
    ("punch a part", true, |path, at| {
        reserve(path, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, at + 5, 10)
    }),
    ("zero", true, |path, at| reserve(path, FallocateFlags::ZERO_RANGE, at, 10)),
    ("zero, keep size", true, |path, at| {
        reserve(path, FallocateFlags::ZERO_RANGE | FallocateFlags::KEEP_SIZE, at, 1 << 20)
    }),
    ("ftruncate", true, |path, at| ftruncate(writable(path, OFlags::empty())?, at + 1)),
    ("truncate", true, |path, at| {
        // SAFETY: a path that ends with NUL.
        match unsafe { libc::truncate(path.as_ptr(), (at + (1 << 20)) as libc::off_t) } {
            0 => Ok(()),
            _ => Err(last_error()),
        }
    }),
    // Linux takes nothing away for a store through a mapping.
    ("store", false, store),
];

fn writable(path: &CStr, flags: OFlags) -> Result<OwnedFd> {
    open(path, OFlags::RDWR | OFlags::CLOEXEC | flags, Mode::empty())
}

fn reserve(path: &CStr, mode: FallocateFlags, offset: u64, length: u64) -> Result<()> {
    fallocate(writable(path, OFlags::empty())?, mode, offset, length)
}

fn last_error() -> Errno {
    Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO)
}

fn store(path: &CStr, at: u64) -> Result<()> {
    let file = writable(path, OFlags::empty())?;
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a new mapping at an address the kernel chooses; the store is inside it, and it goes behind that.
    unsafe {
        let base = libc::mmap(
            std::ptr::null_mut(),
            PAGE,
            protection,
            libc::MAP_SHARED,
            file.as_raw_fd(),
            at as libc::off_t,
        );
        if base == libc::MAP_FAILED {
            return Err(last_error());
        }
        base.cast::<u8>().write_volatile(7);
        let synced = libc::msync(base, PAGE, libc::MS_SYNC);
        let result = if synced == 0 { Ok(()) } else { Err(last_error()) };
        libc::munmap(base, PAGE);
        result
    }
}

/// A program that does `work` as a user before it is run. std clears the groups of an ordinary one.
fn child(program: &str, user: u32, work: impl FnMut() -> io::Result<()> + Send + Sync + 'static) -> Command {
    let mut command = Command::new(program);
    command.uid(user).gid(user);
    // SAFETY: the closures of this file make system calls only.
    unsafe { command.pre_exec(work) };
    command
}

/// Makes a change as a user.
pub fn change_as(user: u32, path: &CString, at: u64, change: Change) -> io::Result<()> {
    let path = path.clone();
    child("/bin/true", user, move || Ok(change(&path, at)?)).status().map(drop)
}

/// What the file says when nobody runs it: by its path, or by a descriptor.
pub fn run_as_nobody(path: &str, descriptor: Option<&File>) -> String {
    let descriptor = descriptor.map(AsRawFd::as_raw_fd);
    let run = move || -> io::Result<()> {
        let Some(descriptor) = descriptor else { return Ok(()) };
        let arguments = [c"id".as_ptr(), std::ptr::null()];
        let environment: [*const libc::c_char; 1] = [std::ptr::null()];
        // SAFETY: the arguments live until the call fails, if it does.
        unsafe {
            libc::syscall(
                libc::SYS_execveat,
                descriptor,
                c"".as_ptr(),
                arguments.as_ptr(),
                environment.as_ptr(),
                libc::AT_EMPTY_PATH,
            )
        };
        Err(io::Error::last_os_error())
    };
    for _ in 0..1000 {
        match child(path, NOBODY, run).output() {
            // A process that another test is starting holds what we wrote until its exec.
            Err(error) if error.raw_os_error() == Some(libc::ETXTBSY) => {
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            other => return said(other.unwrap_or_else(|error| panic!("{path}: {error}"))),
        }
    }
    panic!("{path}: open for writing");
}

fn said(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}
