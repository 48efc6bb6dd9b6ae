//! What chattr forbids is refused before a block is read or written.

use crate::device::testing::{CountingDevice, Counts};
use crate::testing::{FormatOptions, formatted, open, sequential};
use crate::vfs::{Caller, FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE, FALLOC_ZERO_RANGE, FileSystem, SetAttr, Vfs};
use crate::volume::OpenOptions;
use std::sync::Arc;

const ROOT: u64 = 1;
const IMMUTABLE: u32 = 0x10;
const APPEND: u32 = 0x20;
const PAGE: usize = 4096;

type Call = (&'static str, Box<dyn Fn(&FileSystem) -> crate::base::Result<()>>);

fn call(name: &'static str, call: impl Fn(&FileSystem) -> crate::base::Result<()> + 'static) -> Call {
    (name, Box::new(call))
}

/// Calls that change the file's bytes before its end.
fn overwriting(file: u64, source: u64) -> Vec<Call> {
    let size = |size| SetAttr { size: Some(size), ..SetAttr::default() };
    vec![
        call("write", move |fs| fs.write(file, 5, &[1; 3 * PAGE], false).map(drop)),
        call("write_back", move |fs| fs.write_back(file, 0, &[1; PAGE]).map(drop)),
        call("copy_range", move |fs| fs.copy_range(source, 0, file, 0, 9 * PAGE as u64).map(drop)),
        call("punch", move |fs| fs.fallocate(file, FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE, 5, 20_000)),
        call("zero", move |fs| fs.fallocate(file, FALLOC_ZERO_RANGE, 5, 20_000)),
        call("zero, keep size", move |fs| fs.fallocate(file, FALLOC_ZERO_RANGE | FALLOC_KEEP_SIZE, 5, 9)),
        call("cut", move |fs| fs.setattr(file, &size(7), &Caller::default()).map(drop)),
        call("grow", move |fs| fs.setattr(file, &size(1 << 20), &Caller::default()).map(drop)),
        call("setxattr", move |fs| fs.setxattr(file, b"user.a", b"1", 0)),
        call("removexattr", move |fs| fs.removexattr(file, b"user.there")),
        call("public id", move |fs| fs.setxattr(file, b"user.hn4.public_id", &[b'7'; 32], 0)),
        call("link", move |fs| fs.link(file, ROOT, b"second").map(drop)),
    ]
}

/// Calls that an append-only file allows.
fn growing(file: u64, source: u64) -> Vec<Call> {
    let end = 20 * PAGE as u64;
    vec![
        call("append", move |fs| fs.append(file, b"x", false).map(drop)),
        call("copy_range to the end", move |fs| fs.copy_range(source, 0, file, end, 9).map(drop)),
        call("fallocate", move |fs| fs.fallocate(file, 0, 0, 1 << 20)),
        call("fallocate, keep size", move |fs| fs.fallocate(file, FALLOC_KEEP_SIZE, 0, 1 << 20)),
    ]
}

#[test]
fn a_refused_call_reads_and_writes_nothing() {
    let who = Caller::default();
    for mark in [IMMUTABLE, APPEND] {
        let device = formatted(&FormatOptions::new(8192));
        let fs = open(device.clone(), sequential());
        for name in ["file", "source"] {
            let ino = fs.mknod(ROOT, name.as_bytes(), libc::S_IFREG | 0o644, 0, &who).unwrap().ino;
            fs.write(ino, 0, &[7; 20 * PAGE], false).unwrap();
            fs.setxattr(ino, b"user.there", &[1; 3000], 0).unwrap();
        }
        let file = fs.lookup(ROOT, b"file").unwrap().ino;
        fs.setflags(file, mark).unwrap();
        fs.shutdown().unwrap();
        drop(fs);

        // Nothing of the files is in memory but their inodes.
        let device = Arc::new(CountingDevice::new(device));
        let fs = open(device.clone(), OpenOptions { cached_pages: 0, ..sequential() });
        let inos = [&b"file"[..], b"source"].map(|name| fs.lookup(ROOT, name).unwrap().ino);
        assert!(fs.has_marked(), "known from the disk");
        let mut calls = overwriting(inos[0], inos[1]);
        if mark == IMMUTABLE {
            calls.extend(growing(inos[0], inos[1]));
        }
        for (name, call) in calls {
            let before = device.counts();
            assert_eq!(call(&fs).expect_err(name).errno(), libc::EPERM, "{name}, mark {mark:#x}");
            assert_eq!(device.counts().since(before), Counts::default(), "{name}, mark {mark:#x}");
        }
        let before = device.counts();
        fs.read(inos[0], 0, &mut [0; PAGE]).unwrap();
        assert_ne!(device.counts().since(before).reads, 0, "the case did not happen: all was in memory");
        fs.shutdown().unwrap();
    }
}

/// Pages as the kernel's cache hands them over: those of an append, in any order, and no others.
#[test]
fn pages_of_an_append_are_taken_in_any_order_and_others_not() {
    let fs = open(formatted(&FormatOptions::new(8192)), sequential());
    let end = 3 * PAGE + 5;
    let content: Vec<u8> = (0..end).map(|at| at as u8 | 1).collect();
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]] {
        let who = Caller::default();
        let file =
            fs.mknod(ROOT, format!("{order:?}").as_bytes(), libc::S_IFREG | 0o644, 0, &who).unwrap().ino;
        fs.write(file, 0, &content[..7], false).unwrap();
        fs.setflags(file, APPEND).unwrap();
        let refused = |fs: &FileSystem, at: usize, bytes: &[u8]| {
            assert_eq!(fs.write_back(file, at as u64, bytes).expect_err("no append").errno(), libc::EPERM);
        };
        for page in order {
            let from = page * PAGE;
            let mut other = content[from..(from + PAGE).min(end)].to_vec();
            if page == 0 {
                other[3] ^= 2;
                refused(&fs, from, &other);
            }
            fs.write_back(file, from as u64, &content[from..(from + PAGE).min(end)]).unwrap();
        }
        let mut found = vec![0; end + 1];
        assert_eq!(fs.read(file, 0, &mut found).unwrap(), end);
        assert_eq!(found[..end], content, "{order:?}");
        // All is there: nothing may be filled any more, and the last page grows.
        for page in 0..4 {
            let from = page * PAGE;
            refused(&fs, from, &vec![2; (end - from).min(PAGE)]);
        }
        refused(&fs, 3 * PAGE, &[2; 6]);
        fs.write_back(file, 3 * PAGE as u64, &[&content[3 * PAGE..], b"+"].concat()).unwrap();
        fs.fsync(file, false).unwrap();
    }
    fs.shutdown().unwrap();
}
