//! What one step of the commit thread places, or one operation changes, is no more than a record of the log holds:
//! scattered blocks, and pages that go to the log whole where metadata has one copy.

use super::named_data_tests::{BLOCK, REG, ROOT, Rig};
use crate::base::BLOCK_SIZE;
use crate::device::testing::MemDevice;
use crate::testing::{FormatOptions, formatted};
use crate::vfs::{Caller, FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE, SetAttr, Vfs};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// More blocks than a descriptor page describes.
pub const APART: u64 = 130;
const BLOCKS: u64 = 65_536;

/// A closed volume whose descriptor pages have all been written before: the first change of each since the mount
/// takes it to the log whole.
pub fn used_before(options: &FormatOptions) -> Arc<MemDevice> {
    let memory = formatted(options);
    let rig = Rig::open(memory.clone());
    let file = rig.make("before");
    let free = rig.fs.statfs().unwrap().bavail;
    for at in (0..free - 2048).step_by(2048) {
        rig.fs.fallocate(file, 0, at * BLOCK, 2048 * BLOCK).unwrap();
    }
    rig.close();
    let rig = Rig::open(memory.clone());
    rig.fs.unlink(ROOT, b"before").unwrap();
    rig.close();
    memory
}

/// One metadata copy and a log of `log_blocks`.
fn single(log_blocks: u64) -> Rig {
    let options = FormatOptions { dup: false, log_blocks: Some(log_blocks), ..FormatOptions::new(BLOCKS) };
    Rig::open(used_before(&options))
}

/// A record cannot hold so many whole pages.
fn demand_pages(rig: &Rig, pages: u64) {
    let most = rig.fs.volume.geometry.record_blocks_max();
    assert!(pages > most, "the case did not happen: a record of {most} blocks holds {pages} pages");
}

#[test]
fn a_scattered_file_is_placed_in_several_records() {
    let rig = single(256);
    let file = rig.make("file");
    demand_pages(&rig, 300);
    for i in 0..300 {
        rig.fs.write(file, i * APART * BLOCK, &[7; BLOCK_SIZE], false).unwrap();
    }
    rig.fs.fsync(file, false).unwrap();
    rig.close();
}

#[test]
fn preallocated_blocks_are_made_in_several_records() {
    let rig = single(256);
    let file = rig.make("file");
    demand_pages(&rig, 30_000 / APART);
    rig.fs.fallocate(file, 0, 0, 30_000 * BLOCK).unwrap();
    rig.close();
}

/// Where every other block is free, each block is an item of the record.
#[test]
fn preallocated_blocks_in_single_free_blocks_are_made_in_several_records() {
    const FILES: u64 = 14_000;
    let options = FormatOptions { cortex_pages: Some(1120), ..FormatOptions::smallest_log(20_480) };
    let rig = Rig::open(formatted(&options));
    let name = |i: u64| format!("file-{i}");
    for i in 0..FILES {
        let file = rig.make(&name(i));
        rig.fs.write(file, 0, &[7; BLOCK_SIZE], false).unwrap();
        rig.fs.forget(file, 1);
    }
    rig.settle();
    for i in (0..FILES).step_by(2) {
        rig.fs.unlink(ROOT, name(i).as_bytes()).unwrap();
    }
    rig.settle();
    // An item of the record has 48 bytes at least.
    let most = rig.fs.volume.geometry.record_blocks_max() * BLOCK / 48;
    assert!(FILES / 2 > most, "the case did not happen: a record holds {most} items");
    let file = rig.make("file");
    let free = rig.fs.statfs().unwrap().bavail - 100;
    rig.fs.fallocate(file, 0, 0, free * BLOCK).unwrap();
    rig.close();
}

#[test]
fn the_overwrite_area_is_emptied_in_several_records() {
    let options = FormatOptions { dup: false, ..FormatOptions::smallest_log(BLOCKS) };
    let memory = formatted(&options);
    let rig = Rig::open(memory.clone());
    let file = rig.make("file");
    // So much of the window that shell 1 of its blocks is the home of others: overwrites go to the area.
    for at in (0..54_000).step_by(1000) {
        rig.fs.fallocate(file, 0, at * BLOCK, 1000 * BLOCK).unwrap();
    }
    let write_each = |rig: &Rig, byte| {
        let file = rig.fs.lookup(ROOT, b"file").unwrap().ino;
        for i in 0..250 {
            rig.fs.write(file, i * APART * BLOCK, &[byte; BLOCK_SIZE], false).unwrap();
        }
    };
    write_each(&rig, 1);
    rig.close();

    let rig = Rig::open(memory);
    let stats = rig.fs.volume.stats();
    write_each(&rig, 2);
    rig.settle();
    let (area, home) = (stats.in_area.load(Ordering::Relaxed), stats.at_home.load(Ordering::Relaxed));
    demand_pages(&rig, home);
    assert!(area >= 192, "the case did not happen: {area} blocks in the area");
    rig.close();
}

/// Blocks of directories get their places when the transaction closes: all of them in one record.
#[test]
fn a_transaction_changes_no_more_directories_than_its_record_holds() {
    const DIRS: u64 = 400;
    let who = Caller::default();
    let rig = single(512);
    demand_pages(&rig, DIRS);
    // The free blocks lie apart.
    let full = rig.make("full");
    let blocks = (rig.fs.statfs().unwrap().bavail - 100) / 1000 * 1000;
    for at in (0..blocks).step_by(1000) {
        rig.fs.fallocate(full, 0, at * BLOCK, 1000 * BLOCK).unwrap();
    }
    for at in (0..blocks).step_by(APART as usize) {
        rig.fs.fallocate(full, FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE, at * BLOCK, 3 * BLOCK).unwrap();
    }
    let name = |i| format!("{i}");
    for i in 0..DIRS {
        let dir = rig.fs.mkdir(ROOT, name(i).as_bytes(), 0o755, &who).unwrap().ino;
        rig.fs.mknod(dir, b"old", REG, 0, &who).unwrap();
    }
    let memory = rig.memory.clone();
    rig.close();

    let rig = Rig::open(memory);
    let mode = SetAttr { mode: Some(0o700), ..SetAttr::default() };
    let dirs: Vec<u64> = (0..DIRS).map(|i| rig.fs.lookup(ROOT, name(i).as_bytes()).unwrap().ino).collect();
    for dir in &dirs {
        // Their slots are in the log from here on, and cost little.
        rig.fs.setattr(*dir, &mode, &who).unwrap();
        rig.fs.setattr(rig.fs.lookup(*dir, b"old").unwrap().ino, &mode, &who).unwrap();
    }
    rig.settle();
    for dir in &dirs {
        rig.fs.rename(*dir, b"old", *dir, b"new", 0).unwrap();
    }
    rig.fs.syncfs().unwrap();
    rig.close();
}
