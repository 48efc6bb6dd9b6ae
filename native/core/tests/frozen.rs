//! FROZEN: a volume says durably, before a file is marked, that it may hold marked files.

use hn4_core::device::Device;
use hn4_core::device::testing::{CountingDevice, Fault, FaultDevice, Op, RecordingDevice, When};
use hn4_core::format::layout::COMPAT_FROZEN;
use hn4_core::superblocks;
use hn4_core::testing::{FormatOptions, formatted, open, sequential};
use hn4_core::vfs::{Caller, FileSystem, Vfs};
use hn4_core::volume::OpenOptions;
use std::sync::Arc;

const ROOT: u64 = 1;
const IMMUTABLE: u32 = 0x10;
const APPEND: u32 = 0x20;

fn make(fs: &FileSystem, name: &[u8], mode: u32) -> u64 {
    fs.mknod(ROOT, name, mode | 0o644, 0, &Caller::default()).unwrap().ino
}

fn is_frozen(device: &dyn Device) -> bool {
    superblocks::read(device).unwrap().superblock.compat & COMPAT_FROZEN != 0
}

#[test]
fn the_first_mark_of_a_file_is_said_and_no_other() {
    let device = Arc::new(CountingDevice::new(formatted(&FormatOptions::new(4096))));
    let fs = open(device.clone(), sequential());
    let (dir, file) = (make(&fs, b"dir", libc::S_IFDIR), make(&fs, b"file", libc::S_IFREG));
    fs.setflags(dir, IMMUTABLE).unwrap();
    fs.setflags(file, 0).unwrap();
    assert!(!fs.has_marked() && !is_frozen(&*device), "nothing that open() would refuse");
    fs.setflags(file, APPEND).unwrap();
    assert!(fs.has_marked() && is_frozen(&*device), "before the call answers");
    let before = device.counts();
    fs.setflags(file, IMMUTABLE).unwrap();
    fs.setflags(file, 0).unwrap();
    assert_eq!(device.counts().since(before).writes, 0);
    fs.fsync(file, false).unwrap();
    fs.shutdown().unwrap();
    drop(fs);

    // It stays, for what was refused once may be refused again; and nobody has met the file yet.
    let fs = open(device.clone(), sequential());
    assert!(fs.has_marked());
    fs.shutdown().unwrap();
    drop(fs);
    assert!(is_frozen(&*device));
    // Who may not write anyway need not ask.
    assert!(!open(device, OpenOptions { read_only: true, ..sequential() }).has_marked());
}

#[test]
fn no_power_cut_leaves_a_marked_file_on_a_volume_that_does_not_say_so() {
    let base = formatted(&FormatOptions::new(4096));
    let device = Arc::new(RecordingDevice::new(Arc::new(base.snapshot())));
    let fs = open(device.clone(), sequential());
    let file = make(&fs, b"file", libc::S_IFREG);
    fs.fsync(file, false).unwrap();
    fs.setflags(file, IMMUTABLE).unwrap();
    fs.fsync(file, false).unwrap();
    fs.shutdown().unwrap();
    let (mut marked, mut frozen) = (0, 0);
    device.trace().each_crash(&base, 3, 7, |state| {
        let image = Arc::new(state.image);
        let says = is_frozen(&*image);
        let fs = open(image, sequential());
        let has = fs.lookup(ROOT, b"file").is_ok_and(|attr| attr.flags == IMMUTABLE);
        assert!(says || !has, "cut {}", state.cut);
        (marked, frozen) = (marked + u32::from(has), frozen + u32::from(says));
        fs.shutdown().unwrap();
    });
    assert!(frozen > marked && marked > 0, "the case did not happen: {frozen} say so, {marked} have it");
}

#[test]
fn a_mark_that_cannot_be_said_is_not_made() {
    let memory = formatted(&FormatOptions::new(4096));
    let device = Arc::new(FaultDevice::new(memory.clone()));
    let fs = open(device.clone(), sequential());
    let file = make(&fs, b"file", libc::S_IFREG);
    fs.fsync(file, false).unwrap();
    for (op, when) in [(Op::Write, When::Blocks(0..1)), (Op::Flush, When::Nth(0))] {
        device.clear();
        device.add(op, when, Fault::Eio);
        fs.setflags(file, IMMUTABLE).expect_err("a superblock that cannot be written");
        assert_eq!(fs.getattr(file).unwrap().flags, 0);
    }
    device.clear();
    fs.setflags(file, IMMUTABLE).expect_err("it has stopped writing");
    fs.shutdown().expect_err("and says so at the end");
    drop(fs);
    let fs = open(memory, sequential());
    assert_eq!(fs.lookup(ROOT, b"file").unwrap().flags, 0);
    fs.setflags(file, IMMUTABLE).unwrap();
    fs.shutdown().unwrap();
}
