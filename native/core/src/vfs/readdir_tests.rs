//! Listings: what they cost the device, damage inside what is read together, files that go while they are listed.

use super::{Attr, Caller, FileSystem, Vfs};
use crate::base::{BLOCK_SIZE, BlockNumber, Ino};
use crate::device::Device;
use crate::device::testing::{CountingDevice, MemDevice};
use crate::format::layout::{DIR_LEAF, DIRECTORY_MAGIC, DirBlock};
use crate::testing::{FormatOptions, demand_sound, flip, formatted, loud, open};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

const WHO: Caller = Caller { uid: 0, gid: 0, pid: 1, umask: 0 };
const NAMES: usize = 1000;

fn name(i: usize) -> Vec<u8> {
    format!("name-{i:05}").into_bytes()
}

/// A closed volume with a directory `d` of so many files.
fn volume(names: usize) -> Arc<MemDevice> {
    let device = formatted(&FormatOptions::new(8192));
    let fs = open(device.clone(), loud());
    let dir = fs.mkdir(1, b"d", 0o755, &WHO).unwrap().ino;
    for i in 0..names {
        fs.mknod(dir, &name(i), libc::S_IFREG | 0o644, 0, &WHO).unwrap();
    }
    fs.shutdown().unwrap();
    device
}

/// Names of a directory with their attributes, from as many calls as replies of `each` entries take.
fn list(fs: &FileSystem, dir: Ino, plus: bool, each: usize) -> BTreeMap<Vec<u8>, Option<Attr>> {
    let (mut found, mut at) = (BTreeMap::new(), 2);
    loop {
        let before = found.len();
        fs.readdir(dir, at, plus, &mut |entry| {
            let room = found.len() - before < each;
            if room {
                at = entry.cookie;
                assert!(found.insert(entry.name.to_vec(), entry.attr).is_none(), "a name twice");
            }
            room
        })
        .unwrap();
        if found.len() == before {
            return found;
        }
    }
}

#[test]
fn the_blocks_of_a_directory_are_read_together() {
    let memory = volume(NAMES);
    for plus in [false, true] {
        let device = Arc::new(CountingDevice::new(memory.clone()));
        let fs = open(device.clone(), loud());
        let dir = fs.lookup(1, b"d").unwrap();
        let blocks = dir.size / BLOCK_SIZE as u64;
        assert!(blocks >= 16, "the case did not happen: {blocks} blocks");
        let before = device.counts();
        let found = list(&fs, dir.ino, plus, 100);
        let spent = device.counts().since(before);
        assert_eq!(found.len(), NAMES);
        assert!(found.values().all(|attr| attr.is_some() == plus));
        assert!(plus || spent.reads <= 4, "{} reads of {blocks} blocks", spent.reads);
        let before = device.counts();
        assert_eq!(list(&fs, dir.ino, false, 1000).len(), NAMES);
        assert_eq!(device.counts().since(before).reads, 0);
        fs.shutdown().unwrap();
    }
}

#[test]
fn a_bad_block_among_those_read_together_comes_from_its_other_copy() {
    let memory = volume(NAMES);
    let mut block = [0; BLOCK_SIZE];
    let leaf = (0..memory.block_count()).map(BlockNumber).find(|at| {
        memory.read(*at, &mut block).unwrap();
        DirBlock::decode(&block).is_some_and(|head| {
            u64::from(head.magic) == DIRECTORY_MAGIC && head.kind == DIR_LEAF && head.count > 40
        })
    });
    flip(&memory, leaf.expect("a leaf of d"), 2000 * 8);
    let fs = open(memory.clone(), loud());
    let dir = fs.lookup(1, b"d").unwrap().ino;
    assert_eq!(list(&fs, dir, false, NAMES).len(), NAMES);
    assert_eq!(fs.volume.stats().healed_blocks.load(Ordering::Relaxed), 1);
    // The next commit of the directory writes it anew.
    fs.mknod(dir, b"one more", libc::S_IFREG | 0o644, 0, &WHO).unwrap();
    fs.shutdown().unwrap();
    demand_sound(&*memory, "healed");
}

/// Entries are found in batches, and offered one by one.
#[test]
fn a_file_that_goes_while_it_is_listed_holds_no_lookup() {
    let memory = volume(8);
    let fs = open(memory.clone(), loud());
    let dir = fs.lookup(1, b"d").unwrap().ino;
    let volume = fs.volume.clone();
    let (mut offered, mut bare) = (Vec::new(), Vec::new());
    fs.readdir(dir, 2, true, &mut |entry| {
        if offered.is_empty() {
            // In another thread, as it would come.
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    for i in 0..8 {
                        if name(i) != entry.name {
                            fs.unlink(dir, &name(i)).unwrap();
                        }
                    }
                    fs.syncfs().unwrap();
                });
            });
        }
        offered.push(entry.ino);
        if entry.attr.is_none() {
            bare.push(entry.ino);
        }
        true
    })
    .unwrap();
    assert_eq!((offered.len(), bare.len()), (8, 7), "shown by name alone");
    assert!(bare.iter().all(|ino| !volume.inodes.is_held(*ino)));
    assert!(volume.inodes.is_held(offered[0]));
    fs.forget(offered[0], 1);
    fs.shutdown().unwrap();
    demand_sound(&*memory, "closed");
}
