//! What says that it is of a later transaction than the log's last, or than its page: forged, or of a log that was
//! lost. EUCLEAN where it is needed, and the rest is served.

use super::{Caller, FileSystem, Vfs};
use crate::base::{Code, Ino, Result, crc32c_append};
use crate::device::testing::MemDevice;
use crate::format::{PageBytes, Region, layout as l};
use crate::testing::{FormatOptions, forge_page, forge_slot, formatted, geometry_of, sequential, try_open};
use std::sync::Arc;
use std::sync::atomic::Ordering;

const WHO: Caller = Caller { uid: 0, gid: 0, pid: 1, umask: 0 };
const UNIT: usize = l::UNIT_SIZE as usize;

/// Files `a` (two blocks, an attribute) and `b` (two blocks). Closed.
fn volume() -> (Arc<MemDevice>, [Ino; 2]) {
    let device = formatted(&FormatOptions::new(4096));
    let fs = try_open(device.clone(), sequential()).unwrap().0;
    let made = [b"a", b"b"].map(|name| {
        let ino = fs.mknod(1, name, libc::S_IFREG | 0o644, 0, &WHO).unwrap().ino;
        fs.write(ino, 0, &[7; 5000], false).unwrap();
        ino
    });
    fs.setxattr(made[0], b"user.one", &[1; 400], 0).unwrap();
    fs.shutdown().unwrap();
    (device, made)
}

/// Changes each written page of a region.
fn forge_region(device: &MemDevice, region: Region, mut change: impl FnMut(&mut PageBytes, &mut u64)) {
    let mut written = false;
    for number in 0..geometry_of(device).map.pages_of(region) {
        written |= forge_page(device, region, number, &mut change);
    }
    assert!(written, "no page of {region:?} was changed");
}

/// `operation` on `a` is refused; `b` is served if it is spared.
fn refused<T: std::fmt::Debug>(
    device: &Arc<MemDevice>,
    operation: impl Fn(&FileSystem) -> Result<T>,
    spares_b: bool,
) {
    let fs = try_open(device.clone(), sequential()).unwrap().0;
    let error = operation(&fs).expect_err("of a later transaction");
    assert_eq!(error.code, Code::Corrupt, "{error}");
    assert!(error.detail().contains("later transaction"), "{error}");
    if spares_b {
        assert_eq!(fs.lookup(1, b"b").and_then(|b| read(&fs, b.ino)).unwrap(), 5000);
    }
    fs.shutdown().unwrap();
}

fn read(fs: &FileSystem, ino: Ino) -> Result<usize> {
    fs.read(ino, 0, &mut [0; 8192])
}

fn read_a(fs: &FileSystem) -> Result<usize> {
    read(fs, fs.lookup(1, b"a")?.ino)
}

#[test]
fn an_anchor_is_not_later_than_its_page() {
    let (device, [a, _]) = volume();
    forge_slot(&device, a, |slot| slot.anchor.write_gen += 1000);
    refused(&device, |fs| fs.lookup(1, b"a"), true);
}

#[test]
fn a_descriptor_is_not_later_than_its_page() {
    let (device, [a, _]) = volume();
    let table = geometry_of(&device).descriptors;
    forge_region(&device, Region::Descriptor, |bytes, page_txn| {
        for position in 0..table.per_page as usize {
            let mut descriptor = table.decode(bytes, position);
            if descriptor.owner == a {
                descriptor.txn = *page_txn + 1;
                table.encode(bytes, position, &descriptor);
            }
        }
    });
    refused(&device, read_a, true);
}

#[test]
fn an_extension_record_is_not_later_than_its_page() {
    let (device, _) = volume();
    forge_region(&device, Region::Extension, |bytes, page_txn| {
        for at in (0..l::PAGE_PAYLOAD as usize).step_by(UNIT) {
            let header = l::ExtensionRecord::decode(&bytes[at..at + UNIT]);
            let Some(mut header) = header.filter(|h| u64::from(h.magic) == l::EXTENSION_MAGIC) else {
                continue;
            };
            header.generation = *page_txn as u32 + 1;
            header.crc = 0;
            header.encode(&mut bytes[at..]);
            let end = at + l::EXTENSION_HEADER as usize + header.length as usize;
            header.crc = crc32c_append(0, &bytes[at..end]);
            header.encode(&mut bytes[at..]);
        }
    });
    refused(&device, |fs| fs.listxattr(fs.lookup(1, b"a")?.ino), true);
}

#[test]
fn a_page_is_not_later_than_the_log() {
    for (region, operation) in [
        (Region::Cortex, read_a as fn(&FileSystem) -> Result<usize>),
        (Region::Descriptor, read_a),
        (Region::Extension, |fs| fs.getxattr(fs.lookup(1, b"a")?.ino, b"user.one").map(|value| value.len())),
    ] {
        let (device, _) = volume();
        let opens = |device: &Arc<MemDevice>| try_open(device.clone(), sequential()).map(drop);
        forge_region(&device, region, |_, txn| *txn += 1000);
        if region == Region::Cortex {
            let error = opens(&device).expect_err("without the root");
            assert!(error.detail().contains("later transaction"), "{error}");
        } else {
            refused(&device, operation, false);
        }
    }
}

#[test]
fn the_other_copy_is_taken_for_a_page_that_is_later_than_the_log() {
    let (device, _) = volume();
    let before = device.snapshot();
    forge_region(&device, Region::Descriptor, |_, txn| *txn += 1000);
    let geometry = geometry_of(&device);
    // Copy B is as it was.
    let page = geometry.map.page(Region::Descriptor, 0).unwrap();
    let block = geometry.page_block(1, page).unwrap();
    crate::testing::copy_block(&before, block, &device, block);
    let fs = try_open(device.clone(), sequential()).unwrap().0;
    assert_eq!(read_a(&fs).unwrap(), 5000);
    fs.shutdown().unwrap();
    // It was written over copy A.
    let fs = try_open(device, sequential()).unwrap().0;
    assert_eq!(read_a(&fs).unwrap(), 5000);
    assert_eq!(fs.volume.pages.stats.healed.load(Ordering::Relaxed), 0);
}
