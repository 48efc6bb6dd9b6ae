//! More files than a record of the log holds, and more than memory is for: they are read, changed and deleted in
//! slices, and leave memory again.

use crate::device::testing::MemDevice;
use crate::format::layout;
use crate::testing::{FormatOptions, demand_sound, formatted, loud, try_open};
use crate::transaction::cost;
use crate::vfs::{Caller, FileSystem, SetAttr, Vfs};
use crate::volume::{OpenOptions, Reporter};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::Ordering;

const REG: u32 = libc::S_IFREG | 0o644;
const FILES: usize = 4000;
/// Unused inodes that the volumes keep.
const CACHED: usize = 100;
/// Files whose reads wait before a commit takes some, in such a cache.
const CROWD: usize = 64;

fn name(i: usize) -> Vec<u8> {
    format!("file-{i:05}").into_bytes()
}

/// A closed volume with [`FILES`] files of a few bytes each, in the smallest log.
fn many_files(dup: bool) -> Arc<MemDevice> {
    let options = FormatOptions { dup, cortex_pages: Some(320), ..FormatOptions::smallest_log(16_384) };
    let memory = formatted(&options);
    let (fs, _) = try_open(memory.clone(), loud()).unwrap();
    for i in 0..FILES {
        let ino = fs.mknod(1, &name(i), REG, 0, &Caller::default()).unwrap().ino;
        fs.write(ino, 0, &name(i), false).unwrap();
        fs.forget(ino, 1);
    }
    fs.shutdown().unwrap();
    let record = fs.volume.geometry.record_blocks_max() * layout::BLOCK_SIZE;
    assert!((FILES as u64) * layout::SLOT_SIZE > 2 * record, "the case did not happen: a record holds all");
    memory
}

/// The volume in a small cache, and the lines it says.
fn open_small(memory: &Arc<MemDevice>) -> (FileSystem, Arc<Mutex<Vec<String>>>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let heard = lines.clone();
    let reporter = Reporter::new(move |line| heard.lock().push(line.to_string()));
    let options = OpenOptions { cached_inodes: CACHED, reporter, ..OpenOptions::default() };
    (try_open(memory.clone(), options).unwrap().0, lines)
}

#[test]
fn reading_more_files_than_a_record_holds_keeps_memory_bounded_and_every_time() {
    for dup in [true, false] {
        let memory = many_files(dup);
        let (fs, lines) = open_small(&memory);
        // What a transaction pins, those that wait, and what the shards hold beside the limit.
        let pinned = (fs.volume.gate.limit() / cost::LISTED) as usize;
        let bound = CACHED + 64 + 3 * CROWD + pinned;
        assert!(bound < FILES / 2, "the case did not happen: {bound}");
        let mut buf = [0; 16];
        let mut most = 0;
        for i in 0..FILES {
            let ino = fs.lookup(1, &name(i)).unwrap().ino;
            fs.read(ino, 0, &mut buf).unwrap();
            assert_eq!(buf[..10], name(i)[..]);
            fs.forget(ino, 1);
            most = most.max(fs.volume.inodes.loaded());
        }
        assert!(most <= bound, "dup {dup}: {most} inodes in memory, at most {bound} are expected");
        fs.syncfs().unwrap();
        let left = fs.volume.inodes.loaded();
        assert!(left <= CACHED + 64 + 2 * CROWD, "dup {dup}: {left} inodes stay");
        fs.shutdown().unwrap();
        assert!(lines.lock().is_empty(), "dup {dup}: {:?}", lines.lock());
        demand_times_of_reads(&memory, &format!("dup {dup}"));
    }
}

/// The closed volume is sound and has the time of the last read of every file.
fn demand_times_of_reads(memory: &Arc<MemDevice>, what: &str) {
    demand_sound(&**memory, what);
    let (fs, _) = open_small(memory);
    for i in 0..FILES {
        let attr = fs.lookup(1, &name(i)).unwrap();
        assert!(attr.atime > attr.mtime, "{what}: the time of the last read of file {i} is lost");
    }
    fs.shutdown().unwrap();
}

#[test]
fn of_the_files_that_the_front_end_forgets_few_stay() {
    const CACHED: usize = 800;
    let memory = many_files(true);
    let options = OpenOptions { cached_inodes: CACHED, read_only: true, ..loud() };
    let (fs, _) = try_open(memory.clone(), options).unwrap();
    let found: Vec<u64> = (0..CACHED - 50).map(|i| fs.lookup(1, &name(i)).unwrap().ino).collect();
    assert!(fs.volume.inodes.loaded() >= found.len(), "the case did not happen: they are not in memory");
    found.iter().for_each(|&ino| fs.forget(ino, 1));
    let left = fs.volume.inodes.loaded();
    assert!(left <= CACHED / 8 + 3, "{left} inodes stay");
}

/// In a cache that holds them all one slice is of all of them, and what a record takes is the bound.
#[test]
fn reading_more_files_than_a_record_holds_in_a_large_cache_goes_out_in_several_records() {
    let memory = many_files(true);
    let lines = Arc::new(Mutex::new(Vec::new()));
    let heard = lines.clone();
    let reporter = Reporter::new(move |line| heard.lock().push(line.to_string()));
    let options =
        OpenOptions { cached_inodes: 1 << 20, sequential: true, reporter, ..OpenOptions::default() };
    let (fs, _) = try_open(memory.clone(), options).unwrap();
    let mut buf = [0; 16];
    for i in 0..FILES {
        let ino = fs.lookup(1, &name(i)).unwrap().ino;
        fs.read(ino, 0, &mut buf).unwrap();
    }
    assert_eq!(fs.volume.inodes.read_times.waiting(), FILES, "the case did not happen: some went out before");
    fs.shutdown().unwrap();
    assert!(lines.lock().is_empty(), "{:?}", lines.lock());
    demand_times_of_reads(&memory, "a large cache");
}

/// Without any call that asks for a commit. If none comes, the test hangs.
#[test]
fn a_crowd_of_files_that_were_read_makes_the_volume_commit_by_itself() {
    let memory = many_files(true);
    let (fs, _) = open_small(&memory);
    let before = fs.volume.stats().commits.load(Ordering::Relaxed);
    let mut buf = [0; 16];
    for i in 0..CROWD {
        let ino = fs.lookup(1, &name(i)).unwrap().ino;
        fs.read(ino, 0, &mut buf).unwrap();
    }
    while fs.volume.stats().commits.load(Ordering::Relaxed) == before {
        std::thread::yield_now();
    }
    fs.shutdown().unwrap();
    demand_sound(&*memory, "closed");
}

/// On one copy of the metadata each first change of a page takes it to the log whole.
#[test]
fn changing_and_deleting_more_files_than_a_record_holds_does_not_stop_the_volume() {
    for dup in [true, false] {
        let memory = many_files(dup);
        let (fs, lines) = open_small(&memory);
        let set = SetAttr { mode: Some(0o600), ..SetAttr::default() };
        for i in 0..FILES {
            let ino = fs.lookup(1, &name(i)).unwrap().ino;
            fs.setattr(ino, &set, &Caller::default()).unwrap();
            fs.forget(ino, 1);
        }
        fs.syncfs().unwrap();
        for i in 0..FILES {
            fs.unlink(1, &name(i)).unwrap();
        }
        fs.shutdown().unwrap();
        assert!(lines.lock().is_empty(), "dup {dup}: {:?}", lines.lock());
        assert_eq!(demand_sound(&*memory, "all deleted").files, 3);
    }
}
