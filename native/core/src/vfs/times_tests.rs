//! Any time that fits a file is kept, in memory and on the disk: none stands for "no time".

use super::{Attr, Caller, FileSystem, SetAttr, SetTime, Vfs};
use crate::base::now_ns;
use crate::device::testing::MemDevice;
use crate::testing::{FormatOptions, formatted, open, sequential};
use std::sync::Arc;

const WHO: Caller = Caller { uid: 0, gid: 0, pid: 1, umask: 0 };
const DAY_NS: i64 = 86_400_000_000_000;
const TIMES: [i64; 7] = [i64::MIN, -DAY_NS, -1, 0, 1, 1_000_000_000, i64::MAX];

fn name(number: usize) -> Vec<u8> {
    format!("f{number}").into_bytes()
}

/// The attributes of each file on the disk.
fn seen(fs: &FileSystem) -> Vec<Attr> {
    (0..TIMES.len()).map(|number| fs.lookup(1, &name(number)).unwrap()).collect()
}

fn again(fs: FileSystem, device: &Arc<MemDevice>) -> FileSystem {
    fs.shutdown().unwrap();
    drop(fs);
    open(device.clone(), sequential())
}

fn set(fs: &FileSystem, number: usize, set: &SetAttr) {
    let ino = fs.lookup(1, &name(number)).unwrap().ino;
    fs.setattr(ino, set, &WHO).unwrap();
}

#[test]
fn a_time_that_was_set_is_kept() {
    let device = formatted(&FormatOptions::new(4096));
    let fs = open(device.clone(), sequential());
    for (number, time) in TIMES.into_iter().enumerate() {
        let ino = fs.mknod(1, &name(number), libc::S_IFREG | 0o644, 0, &WHO).unwrap().ino;
        fs.write(ino, 0, b"content", false).unwrap();
        let (atime, mtime) = (Some(SetTime::At(time)), Some(SetTime::At(time)));
        set(&fs, number, &SetAttr { atime, mtime, ..SetAttr::default() });
    }
    let check = |fs: &FileSystem, when| {
        for (attr, time) in seen(fs).iter().zip(TIMES) {
            assert_eq!((attr.atime, attr.mtime), (time, time), "{when}");
        }
    };
    check(&fs, "at once");
    let fs = again(fs, &device);
    check(&fs, "from the disk");
    (0..TIMES.len())
        .for_each(|number| set(&fs, number, &SetAttr { mode: Some(0o600), ..SetAttr::default() }));
    check(&fs, "after a change of something else");
    again(fs, &device).shutdown().unwrap();
}

#[test]
fn a_read_moves_atime_from_wherever_it_stood() {
    let device = formatted(&FormatOptions::new(4096));
    let fs = open(device.clone(), sequential());
    for (number, time) in TIMES.into_iter().enumerate() {
        let ino = fs.mknod(1, &name(number), libc::S_IFREG | 0o644, 0, &WHO).unwrap().ino;
        fs.write(ino, 0, b"content", false).unwrap();
        let mtime = Some(SetTime::At(time));
        set(&fs, number, &SetAttr { atime: Some(SetTime::At(time)), mtime, ..SetAttr::default() });
    }
    let fs = again(fs, &device);
    let before = now_ns();
    for attr in seen(&fs) {
        fs.read(attr.ino, 0, &mut [0; 7]).unwrap();
    }
    // As relatime: each file's atime is not after its mtime.
    let check = |fs: &FileSystem, when| {
        for (attr, time) in seen(fs).iter().zip(TIMES) {
            assert!((before..=now_ns()).contains(&attr.atime), "{when}: {time} became {}", attr.atime);
            assert_eq!(attr.mtime, time, "{when}");
        }
    };
    check(&fs, "at once");
    let fs = again(fs, &device);
    check(&fs, "from the disk");
    // A read that waits in memory does not come back over a time set after it.
    for (number, attr) in seen(&fs).iter().enumerate() {
        set(&fs, number, &SetAttr { atime: Some(SetTime::At(-5)), ..SetAttr::default() });
        fs.read(attr.ino, 0, &mut [0; 7]).unwrap();
        set(&fs, number, &SetAttr { atime: Some(SetTime::At(-7)), ..SetAttr::default() });
    }
    let fs = again(fs, &device);
    assert!(seen(&fs).iter().all(|attr| attr.atime == -7));
    fs.shutdown().unwrap();
}
