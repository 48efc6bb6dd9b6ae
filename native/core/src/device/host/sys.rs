//! The system calls that std does not offer, each once, with a safe signature.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, FromRawFd};

/// From linux/fs.h: ioctl numbers of block devices.
const BLKROGET: libc::c_ulong = 0x125e;
const BLKDISCARD: libc::c_ulong = 0x1277;
const BLKGETSIZE64: libc::c_ulong = 0x8008_1272;
/// From linux/loop.h.
const LOOP_GET_STATUS64: libc::c_ulong = 0x4c05;

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// pwritev(2): bytes written, possibly fewer than asked. At most IOV_MAX (1024) slices.
pub(in crate::device) fn write_vectored_at(
    file: &File,
    slices: &[IoSlice<'_>],
    offset: u64,
) -> io::Result<usize> {
    let count = slices.len().min(libc::UIO_MAXIOV as usize) as libc::c_int;
    // SAFETY: IoSlice is ABI-compatible with iovec (std guarantees it); `count` of them are readable,
    // and each names memory borrowed for this call.
    let done =
        unsafe { libc::pwritev64(file.as_raw_fd(), slices.as_ptr().cast(), count, offset as libc::off64_t) };
    usize::try_from(done).map_err(|_| io::Error::last_os_error())
}

/// Switches O_DIRECT of an open file. EINVAL: the host's filesystem has no direct I/O.
pub(in crate::device) fn set_direct(file: &File, direct: bool) -> io::Result<()> {
    change_flags(file, if direct { libc::O_DIRECT } else { 0 }, if direct { 0 } else { libc::O_DIRECT })
}

/// Makes an open file blocking again (it was opened with O_NONBLOCK).
pub(in crate::device) fn set_blocking(file: &File) -> io::Result<()> {
    change_flags(file, 0, libc::O_NONBLOCK)
}

fn change_flags(file: &File, set: libc::c_int, clear: libc::c_int) -> io::Result<()> {
    // SAFETY: fcntl on an open descriptor, without pointers.
    let flags = check(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETFL) })?;
    // SAFETY: as above.
    check(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFL, (flags | set) & !clear) })?;
    Ok(())
}

/// Bytes of memory and of offset that direct I/O on this file must be aligned to, where the host
/// tells (Linux 6.1 and later); (0, 0): it has no direct I/O.
pub(in crate::device) fn direct_alignment(file: &File) -> Option<(u32, u32)> {
    // SAFETY: statx is plain integers; all zeros is a value of it.
    let mut stat: libc::statx = unsafe { std::mem::zeroed() };
    // SAFETY: an empty C string, an open descriptor, and memory for one statx.
    let result = unsafe {
        libc::statx(file.as_raw_fd(), c"".as_ptr(), libc::AT_EMPTY_PATH, libc::STATX_DIOALIGN, &raw mut stat)
    };
    let told = result == 0 && stat.stx_mask & libc::STATX_DIOALIGN != 0;
    told.then_some((stat.stx_dio_mem_align, stat.stx_dio_offset_align))
}

/// fallocate(2) PUNCH_HOLE | KEEP_SIZE.
pub(in crate::device) fn punch_hole(file: &File, offset: u64, bytes: u64) -> io::Result<()> {
    let mode = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
    let (offset, bytes) = (offset as libc::off64_t, bytes as libc::off64_t);
    // SAFETY: an open descriptor, no pointers.
    check(unsafe { libc::fallocate64(file.as_raw_fd(), mode, offset, bytes) }).map(drop)
}

/// BLKDISCARD of a block device.
pub(in crate::device) fn discard_range(file: &File, offset: u64, bytes: u64) -> io::Result<()> {
    let range = [offset, bytes];
    // SAFETY: BLKDISCARD reads two u64 at the pointer.
    check(unsafe { libc::ioctl(file.as_raw_fd(), BLKDISCARD as _, range.as_ptr()) }).map(drop)
}

/// Bytes of a block device.
pub(in crate::device) fn device_size(file: &File) -> io::Result<u64> {
    let mut bytes = 0u64;
    // SAFETY: BLKGETSIZE64 writes one u64 at the pointer.
    check(unsafe { libc::ioctl(file.as_raw_fd(), BLKGETSIZE64 as _, &raw mut bytes) })?;
    Ok(bytes)
}

/// A block device that is switched to read-only (`blockdev --setro`).
pub(in crate::device) fn device_read_only(file: &File) -> io::Result<bool> {
    let mut read_only: libc::c_int = 0;
    // SAFETY: BLKROGET writes one int at the pointer.
    check(unsafe { libc::ioctl(file.as_raw_fd(), BLKROGET as _, &raw mut read_only) })?;
    Ok(read_only != 0)
}

/// (st_dev, st_ino) of the file behind a loop device, as stat(2) encodes them.
pub(in crate::device) fn loop_backing(device: &File) -> io::Result<(u64, u64)> {
    // struct loop_info64 (linux/loop.h), 232 bytes: lo_device and lo_inode come first.
    let mut info = [0u64; 29];
    // SAFETY: LOOP_GET_STATUS64 writes one loop_info64 at the pointer, 8-byte aligned.
    check(unsafe { libc::ioctl(device.as_raw_fd(), LOOP_GET_STATUS64 as _, info.as_mut_ptr()) })?;
    Ok((info[0], info[1]))
}

/// An inotify descriptor, non-blocking, with a watch on each open file: for openings, and for closings of
/// descriptors that could write.
pub(in crate::device) fn watch_openings<'a>(files: impl IntoIterator<Item = &'a File>) -> io::Result<File> {
    // SAFETY: no pointers.
    let number = check(unsafe { libc::inotify_init1(libc::IN_NONBLOCK | libc::IN_CLOEXEC) })?;
    // SAFETY: just made, and nobody else's.
    let events = unsafe { File::from_raw_fd(number) };
    for file in files {
        // By descriptor, for the path may lead elsewhere already.
        let path = CString::new(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
        let mask = libc::IN_OPEN | libc::IN_CLOSE_WRITE;
        // SAFETY: an open descriptor and a C string.
        check(unsafe { libc::inotify_add_watch(events.as_raw_fd(), path.as_ptr(), mask) })?;
    }
    Ok(events)
}

/// An OFD lock on the whole file: belongs to the open file description, not to the process, so that
/// two opens of one process conflict and closing another descriptor does not drop it.
pub(in crate::device) fn try_lock(file: &File, exclusive: bool) -> io::Result<()> {
    set_lock(file, if exclusive { libc::F_WRLCK } else { libc::F_RDLCK })
}

/// Gives up the OFD lock; closing does the same only once no forked child shares the open file.
pub(in crate::device) fn unlock(file: &File) -> io::Result<()> {
    set_lock(file, libc::F_UNLCK)
}

fn set_lock(file: &File, kind: libc::c_int) -> io::Result<()> {
    let lock = whole_file(kind);
    // SAFETY: F_OFD_SETLK reads one flock at the pointer.
    check(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw const lock) }).map(drop)
}

/// The process that holds a conflicting lock by process (fcntl F_SETLK); none for an OFD lock.
pub(in crate::device) fn lock_holder(file: &File, exclusive: bool) -> Option<u32> {
    let mut lock = whole_file(if exclusive { libc::F_WRLCK } else { libc::F_RDLCK });
    // SAFETY: F_OFD_GETLK reads and writes one flock at the pointer.
    check(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_GETLK, &raw mut lock) }).ok()?;
    (i32::from(lock.l_type) != libc::F_UNLCK).then(|| u32::try_from(lock.l_pid).ok()).flatten()
}

fn whole_file(kind: libc::c_int) -> libc::flock {
    // SAFETY: flock is plain integers; l_pid must be 0, l_start and l_len 0 mean the whole file.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = kind as libc::c_short;
    lock.l_whence = libc::SEEK_SET as libc::c_short;
    lock
}
