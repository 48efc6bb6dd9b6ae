//! Bytes that were stored into files which may not change: refused, and nobody reads them.

use crate::set_id_calls::{CALLS, change_as};
use crate::support::Mount;
use hn4_core::vfs::api::Vfs;
use hn4_fuse::testing::calls::{eventually, os_error, set_flags};
use hn4_fuse::{Cache, Settings};
use rustix::fs::IFlags;
use std::ffi::CString;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;

const IMMUTABLE: u32 = 0x10;

/// A store through a shared mapping, and msync, by another process.
fn store(path: &Path) -> std::io::Result<()> {
    let (_, _, store) = CALLS.into_iter().find(|(name, ..)| *name == "store").expect("in the list");
    change_as(0, &CString::new(path.to_str().expect("a plain path")).expect("no NUL"), 0, store)
}

fn bytes_stored_come_back<V: Vfs>(mount: &Mount<V>, mark: IFlags) {
    let path = mount.path("f");
    fs::write(&path, vec![1; 3 * 4096]).expect("f");
    store(&path).expect("a file as others");
    let stored = fs::read(&path).expect("read");
    assert_eq!(stored[..2], [7, 1], "the case did not happen");
    fs::write(&path, vec![1; 3 * 4096]).expect("f");
    set_flags(&path, mark);
    assert_eq!(os_error(store(&path)), libc::EPERM);
    let is_as_before = || fs::read(&path).expect("read").iter().all(|byte| *byte == 1);
    assert!(eventually(is_as_before), "readers see what was refused");
    set_flags(&path, IFlags::empty());
}

#[test]
fn a_store_into_a_marked_file_is_seen_by_nobody() {
    for mark in [IFlags::IMMUTABLE, IFlags::APPEND] {
        let Some(mount) = Mount::new() else { return };
        // The first open tells the kernel to send no more of them.
        bytes_stored_come_back(&mount, mark);
        mount.finish();
        let Some(mount) = Mount::volume(Settings::default()) else { return };
        bytes_stored_come_back(&mount, mark);
        mount.end();
    }
}

#[test]
fn with_write_back_a_refused_append_is_seen_by_nobody() {
    let settings = || Settings { cache: Cache::WriteBack, no_open: false, ..Settings::default() };
    let Some(mount) = Mount::volume(settings()) else { return };
    let path = mount.path("f");
    fs::write(&path, b"base").expect("f");
    let mut before = File::options().append(true).open(&path).expect("open");
    before.sync_all().expect("fsync");
    set_flags(&path, IFlags::IMMUTABLE);
    assert_eq!(os_error(File::options().append(true).open(&path)), libc::EPERM);
    assert_eq!(fs::read(&path).expect("read"), b"base");
    // By a descriptor of before: the kernel takes it, and hears of the refusal later.
    before.write_all(b"tail").expect("into the cache");
    assert_eq!(os_error(before.sync_all()), libc::EPERM);
    let file = File::open(&path).expect("open");
    let holds_tail = || {
        let mut bytes = [0; 16];
        let length = file.read_at(&mut bytes, 0).expect("read");
        bytes[..length].windows(4).any(|part| part == b"tail")
    };
    assert!(eventually(|| !holds_tail()), "readers see what was refused");
    drop((before, file));
    mount.end();
}

#[test]
fn where_a_marked_file_is_known_open_refuses_it() {
    let Some(mount) = Mount::new() else { return };
    let who = Default::default();
    let ino = mount.vfs.mknod(1, b"f", libc::S_IFREG | 0o644, 0, &who).expect("f").ino;
    mount.vfs.setflags(ino, IMMUTABLE).expect("before the first open");
    for _ in 0..3 {
        assert_eq!(os_error(File::options().write(true).open(mount.path("f"))), libc::EPERM);
    }
    File::open(mount.path("f")).expect("for reading");
    mount.vfs.forget(ino, 1);
    mount.finish();
}
