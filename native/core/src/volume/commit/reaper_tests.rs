//! Deleting for good may wait; what is said of space, and who needs it, does not notice.

use super::*;
use crate::base::{BLOCK_SIZE, Code};
use crate::testing::{FormatOptions, demand_sound, formatted, loud, open, sequential};
use crate::vfs::{Caller, FileSystem, Vfs};
use crate::volume::OpenOptions;

const REG: u32 = libc::S_IFREG | 0o644;
const WHO: Caller = Caller { uid: 0, gid: 0, pid: 1, umask: 0 };
/// Fewer than what is due by their number.
const FEW: usize = DUE_FILES / 2;

fn name(i: usize) -> Vec<u8> {
    format!("file-{i}").into_bytes()
}

/// Makes a file of so many blocks; the kernel forgets it.
fn make(fs: &FileSystem, name: &[u8], blocks: usize) -> Result<()> {
    let ino = fs.mknod(1, name, REG, 0, &WHO)?.ino;
    let written = (0..blocks).try_for_each(|_| fs.append(ino, &[7; BLOCK_SIZE], false).map(drop));
    fs.forget(ino, 1);
    written
}

fn unlink(fs: &FileSystem, count: usize) {
    (0..count).for_each(|i| fs.unlink(1, &name(i)).unwrap());
}

fn each_mode(test: impl Fn(OpenOptions)) {
    test(loud());
    test(sequential());
}

#[test]
fn a_turn_is_due_by_files_by_blocks_and_by_what_was_begun() {
    let memory = formatted(&FormatOptions::new(4096));
    let fs = open(memory, sequential());
    let file = fs.volume.inode(1, 0).unwrap();
    let reaper = Reaper::default();
    let dues = (0..2 * DUE_FILES).filter(|_| reaper.add(file.clone(), 1)).count();
    assert_eq!((dues, reaper.is_due()), (1, true), "asked for once");
    while !reaper.batch().is_empty() {}
    assert!(!reaper.is_due());
    assert!(!reaper.add(file.clone(), DUE_BLOCKS - 1));
    assert!(reaper.add(file.clone(), 1));
    assert_eq!(reaper.batch().len(), 2);
    reaper.put_back(file.clone(), false);
    assert!(!reaper.is_due());
    reaper.put_back(file, true);
    assert!(reaper.is_due());
    fs.shutdown().unwrap();
}

#[test]
fn who_finds_no_block_gets_those_of_files_without_a_name() {
    each_mode(|options| {
        // What is kept for the system is enough for the names, so that nobody has to wait for a commit.
        let memory = formatted(&FormatOptions::new(65_536));
        let fs = open(memory.clone(), options);
        (0..FEW).for_each(|i| make(&fs, &name(i), 1).unwrap());
        let filler = fs.mknod(1, b"filler", REG, 0, &WHO).unwrap().ino;
        let (mut end, mut step) = (0, 32_768);
        while step > 0 {
            match fs.fallocate(filler, 0, end * BLOCK_SIZE as u64, step * BLOCK_SIZE as u64) {
                Ok(()) => end += step,
                Err(error) => {
                    assert_eq!(error.code, Code::NoSpace);
                    step /= 2;
                }
            }
        }
        fs.syncfs().unwrap();
        let commits = fs.volume.stats().commits.load(Ordering::Relaxed);
        unlink(&fs, FEW);
        assert_eq!(fs.volume.stats().commits.load(Ordering::Relaxed), commits, "the case did not happen");
        // Not one of them was free before.
        make(&fs, b"another", FEW / 2).unwrap();
        fs.shutdown().unwrap();
        demand_sound(&*memory, "closed");
    });
}

#[test]
fn who_finds_the_table_of_files_full_gets_the_slots_of_files_without_a_name() {
    each_mode(|options| {
        let memory = formatted(&FormatOptions { cortex_pages: Some(16), ..FormatOptions::new(4096) });
        let fs = open(memory.clone(), options);
        let made = (0..).take_while(|i| make(&fs, &name(*i), 0).is_ok()).count();
        assert!(made > FEW, "the case did not happen: {made} files");
        unlink(&fs, FEW);
        (0..FEW / 2).for_each(|i| make(&fs, format!("another-{i}").as_bytes(), 0).unwrap());
        fs.shutdown().unwrap();
        demand_sound(&*memory, "closed");
    });
}

#[test]
fn what_is_free_counts_files_without_a_name_as_gone() {
    let memory = formatted(&FormatOptions::new(8192));
    let fs = open(memory.clone(), loud());
    // The directory's own blocks stay.
    (0..FEW).for_each(|i| make(&fs, &name(i), 0).unwrap());
    fs.syncfs().unwrap();
    unlink(&fs, FEW);
    let before = fs.statfs().unwrap();
    for round in 0..20 {
        (0..FEW).for_each(|i| make(&fs, &name(i), 1).unwrap());
        assert!(fs.statfs().unwrap().bfree < before.bfree);
        if round % 2 == 0 {
            fs.syncfs().unwrap();
        }
        unlink(&fs, FEW);
        let now = fs.statfs().unwrap();
        assert_eq!((now.bfree, now.bavail, now.ffree), (before.bfree, before.bavail, before.ffree));
    }
    fs.shutdown().unwrap();
    demand_sound(&*memory, "closed");
}
