//! Who reads through the cache while somebody changes a file without it sees the change when the call is done.

use crate::support::Mount;
use hn4_core::vfs::api::Vfs;
use hn4_fuse::testing::calls::open;
use rustix::fs::{FallocateFlags, copy_file_range, fallocate};
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

const PAGE: usize = 4096;

#[repr(align(4096))]
struct Aligned([u8; PAGE]);
static NEW: Aligned = Aligned([2; PAGE]);

/// struct iocb of linux/aio_abi.h.
#[repr(C)]
#[derive(Default)]
struct Iocb {
    data: u64,
    key: u32,
    rw_flags: i32,
    opcode: u16,
    priority: i16,
    file: u32,
    buffer: u64,
    length: u64,
    offset: i64,
    reserved: u64,
    flags: u32,
    result_file: u32,
}
const IOCB_CMD_PWRITE: u16 = 1;

/// A direct write of the second page by io_submit(2), and its end. libc has no functions for these calls.
fn by_aio(path: &Path) {
    let file = open(path, libc::O_DIRECT);
    let (buffer, length) = (NEW.0.as_ptr() as u64, PAGE as u64);
    let (file_number, offset) = (file.as_raw_fd() as u32, PAGE as i64);
    let mut request =
        Iocb { opcode: IOCB_CMD_PWRITE, file: file_number, buffer, length, offset, ..Iocb::default() };
    let mut list = [&raw mut request];
    let (mut context, mut event) = (0u64, [0i64; 4]);
    // SAFETY: the records are those of linux/aio_abi.h and, as the file and the static page, outlive the request,
    // which has ended when io_getevents returns it.
    unsafe {
        assert_eq!(libc::syscall(libc::SYS_io_setup, 1, &raw mut context), 0);
        assert_eq!(libc::syscall(libc::SYS_io_submit, context, 1, list.as_mut_ptr()), 1);
        let none = std::ptr::null::<libc::timespec>();
        assert_eq!(libc::syscall(libc::SYS_io_getevents, context, 1, 1, event.as_mut_ptr(), none), 1);
        libc::syscall(libc::SYS_io_destroy, context);
    }
    assert_eq!(event[2], PAGE as i64, "what was written, or a negative errno");
}

fn by_uring(path: &Path) {
    let Ok(mut ring) = io_uring::IoUring::new(1) else { return by_aio(path) };
    let file = open(path, libc::O_DIRECT);
    let number = io_uring::types::Fd(file.as_raw_fd());
    let write = io_uring::opcode::Write::new(number, NEW.0.as_ptr(), PAGE as u32).offset(PAGE as u64).build();
    // SAFETY: file and page outlive the request, whose end is waited for.
    unsafe { ring.submission().push(&write).expect("room for one") };
    ring.submit_and_wait(1).expect("io_uring_enter");
    assert_eq!(ring.completion().next().expect("its end").result(), PAGE as i32);
}

type Change = (&'static str, &'static str, fn(&Path));

/// What changes the second page, and the name of the operation that serves it.
const CHANGES: [Change; 6] = [
    ("a direct write", "write", |path| {
        open(path, libc::O_DIRECT).write_all_at(&NEW.0, PAGE as u64).expect("write");
    }),
    ("a direct write by aio", "write", by_aio),
    ("a direct write by io_uring", "write", by_uring),
    ("copy_file_range", "copy_range", |path| {
        let source = File::open(path.with_file_name("new")).expect("open");
        let at = &mut (PAGE as u64);
        copy_file_range(&source, Some(&mut 0), open(path, 0), Some(at), PAGE).expect("copy");
    }),
    ("zeroes", "fallocate", |path| {
        fallocate(open(path, 0), FallocateFlags::ZERO_RANGE, PAGE as u64, PAGE as u64).expect("zero");
    }),
    ("a hole", "fallocate", |path| {
        let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        fallocate(open(path, 0), punch, PAGE as u64, PAGE as u64).expect("punch");
    }),
];

#[test]
fn a_page_that_was_read_during_a_change_is_not_kept() {
    let Some(mount) = Mount::new() else { return };
    let path = mount.path("f");
    fs::write(mount.path("new"), NEW.0).expect("new");
    for (name, operation, change) in CHANGES {
        fs::write(&path, [1; 4 * PAGE]).expect("f");
        let reader = Arc::new(File::open(&path).expect("open"));
        let page_of = |file: &File| {
            let mut page = [0; PAGE];
            file.read_exact_at(&mut page, PAGE as u64).expect("read");
            page
        };
        // In the moment before the change a reader brings the old page to the cache.
        let (during, seen) = (reader.clone(), Arc::new(AtomicU32::new(0)));
        let count = seen.clone();
        mount.vfs.set_hook(Some(Box::new(move |called| {
            if called == operation && count.fetch_add(1, Relaxed) == 0 {
                let mut page = [0; PAGE];
                during.read_exact_at(&mut page, PAGE as u64).expect("read");
                assert_eq!(page, [1; PAGE], "the case did not happen");
            }
            Ok(())
        })));
        change(&path);
        mount.vfs.set_hook(None);
        assert_ne!(seen.load(Relaxed), 0, "{name}: the case did not happen");
        let mut stored = [9; PAGE];
        let ino = reader.metadata().expect("stat").ino();
        mount.vfs.read(ino, PAGE as u64, &mut stored).expect("read");
        assert_ne!(stored, [1; PAGE], "{name} changed nothing");
        assert!(page_of(&reader) == stored, "{name}: a reader sees what was there before");
        drop(reader);
        fs::remove_file(&path).expect("rm");
    }
    mount.finish();
}
