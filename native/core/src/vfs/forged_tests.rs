//! Metadata that is wrong under checksums that hold: EUCLEAN for the file, and the others are served.

use super::{Caller, FileSystem, Vfs};
use crate::base::{Code, Ino};
use crate::device::testing::MemDevice;
use crate::format::{Kind, Slot, layout as l};
use crate::testing::{FormatOptions, forge_slot, formatted, open, sequential, try_open};
use std::sync::Arc;

const WHO: Caller = Caller { uid: 0, gid: 0, pid: 1, umask: 0 };
const TARGET: [u8; 100] = [b'x'; 100];

/// Files `a` (empty, two attributes) and `b`, and a long symlink `link`; their numbers. Closed.
fn volume() -> (Arc<MemDevice>, [Ino; 3]) {
    let device = formatted(&FormatOptions::new(4096));
    let fs = open(device.clone(), sequential());
    let make = |name: &[u8]| fs.mknod(1, name, libc::S_IFREG | 0o644, 0, &WHO).unwrap().ino;
    let (a, b) = (make(b"a"), make(b"b"));
    fs.setxattr(a, b"user.one", b"1", 0).unwrap();
    fs.write(b, 0, &[7; 5000], false).unwrap();
    let link = fs.symlink(1, b"link", &TARGET, &WHO).unwrap().ino;
    fs.shutdown().unwrap();
    (device, [a, b, link])
}

fn damaged<T: std::fmt::Debug>(found: crate::base::Result<T>, text: &str) {
    let error = found.expect_err(text);
    assert_eq!(error.code, Code::Corrupt, "{error}");
    assert!(error.detail().contains(text), "{error}, expected {text}");
}

/// `a` cannot be looked up, for the reason `text`; `b` can. Nor can it be unlinked, whose blocks it may not own.
fn a_is_refused(change: impl Fn(&mut Slot), text: &str) {
    let (device, [a, ..]) = volume();
    forge_slot(&device, a, change);
    let fs: FileSystem = open(device, sequential());
    damaged(fs.lookup(1, b"a"), text);
    damaged(fs.unlink(1, b"a"), text);
    assert_eq!(fs.lookup(1, b"b").unwrap().size, 5000);
    let mut names = 0;
    fs.readdir(1, 0, true, &mut |_| {
        names += 1;
        true
    })
    .unwrap();
    assert_eq!(names, 5);
    fs.shutdown().unwrap();
}

#[test]
fn an_entry_leads_to_the_file_of_its_seed_and_type_alone() {
    a_is_refused(|slot| slot.anchor.random ^= 1, "seed_id");
    let pipe = u32::from(Kind::Fifo.number()) << 12 | 0o644;
    a_is_refused(|slot| slot.anchor.permissions = pipe, "type");
}

#[test]
fn a_flag_announces_a_record_and_a_record_has_its_flag() {
    a_is_refused(|slot| slot.anchor.data_class |= l::DATA_CLASS_HAS_ACL, "type 3 is missing");
    a_is_refused(|slot| slot.anchor.data_class |= l::DATA_CLASS_HAS_SEGMENTS, "type 1 is missing");
    a_is_refused(
        |slot| slot.anchor.data_class ^= l::DATA_CLASS_HAS_SEGMENTS | l::DATA_CLASS_HAS_XATTR,
        "type 1 is missing",
    );
    a_is_refused(
        |slot| slot.anchor.data_class ^= l::DATA_CLASS_HAS_ACL | l::DATA_CLASS_HAS_XATTR,
        "type 2 stands there without its flag",
    );
    // Where the chain is not needed to find blocks, it is looked at when it is asked for.
    let (device, [_, _, link]) = volume();
    forge_slot(&device, link, |slot| slot.anchor.data_class |= l::DATA_CLASS_HAS_XATTR);
    let fs = try_open(device, sequential()).unwrap().0;
    let found = fs.lookup(1, b"link").unwrap();
    damaged(fs.readlink(found.ino), "type 2 is missing");
    damaged(fs.listxattr(found.ino), "type 2 is missing");
    damaged(fs.setxattr(found.ino, b"trusted.x", b"1", 0), "type 2 is missing");
    fs.shutdown().unwrap();
}
