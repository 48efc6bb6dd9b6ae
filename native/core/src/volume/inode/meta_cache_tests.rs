//! Directory blocks and presence nodes leave memory while their files stay in use, and come back from the disk.

use crate::device::testing::MemDevice;
use crate::testing::{FormatOptions, demand_sound, formatted, loud, try_open};
use crate::vfs::{Caller, FileSystem, Seek, Vfs};
use crate::volume::OpenOptions;
use std::sync::Arc;

const REG: u32 = libc::S_IFREG | 0o644;
const BLOCK: u64 = 4096;
const NAMES: u64 = 2000;
const NODES: u64 = 60;
/// Blocks of one presence node of level 1.
const NODE: u64 = crate::format::layout::PRESENCE_BITS;
const CACHED: usize = 24;
/// As many come to memory before it is looked through again, and twice as many before readers keep none.
const PART: usize = CACHED / super::PARTS;

fn open(memory: &Arc<MemDevice>, cached_meta: usize) -> FileSystem {
    try_open(memory.clone(), OpenOptions { cached_meta, sequential: true, ..loud() }).unwrap().0
}

/// META blocks in memory that the disk has too.
fn unchanged(fs: &FileSystem) -> usize {
    let durable = fs.volume.commits.durable();
    let mut count = 0;
    fs.volume.inodes.each(|inode| {
        let Some(state) = inode.state.try_read() else { return };
        let meta = state.meta.lock();
        if meta.placed_in <= durable {
            count += meta.in_memory() - meta.dirty.len();
        }
    });
    count
}

fn name(i: u64) -> Vec<u8> {
    format!("{i:0100}").into_bytes()
}

fn make(fs: &FileSystem, dir: u64, i: u64) {
    let ino = fs.mknod(dir, &name(i), REG, 0, &Caller::default()).unwrap().ino;
    fs.forget(ino, 1);
}

/// Everything is found, and memory holds no more than it may: beside the limit what one call brings.
fn look(fs: &FileSystem, dirs: &[u64], sparse: u64) {
    let bound = CACHED + 2 * PART + 4;
    let check = |what: &str| {
        let found = unchanged(fs);
        assert!(found <= bound, "{what}: {found} unchanged blocks in memory, at most {bound} are expected");
    };
    for &dir in dirs {
        for i in 0..NAMES {
            let ino = fs.lookup(dir, &name(i)).unwrap().ino;
            fs.forget(ino, 1);
            check("a name");
        }
        let mut count = 0;
        fs.readdir(dir, 0, false, &mut |_| {
            count += 1;
            true
        })
        .unwrap();
        assert_eq!(count, NAMES + 2);
        check("a listing");
    }
    let mut block = [0; BLOCK as usize];
    for node in 0..NODES {
        assert_eq!(fs.read(sparse, node * NODE * BLOCK, &mut block).unwrap(), BLOCK as usize);
        assert!(block == [node as u8 + 1; BLOCK as usize], "node {node}");
        check("a block");
        assert_eq!(fs.seek(sparse, node * NODE * BLOCK, Seek::Hole).unwrap(), (node * NODE + 1) * BLOCK);
        check("a seek");
    }
}

#[test]
fn changed_and_read_meta_blocks_leave_memory_while_their_files_are_in_use() {
    for dup in [true, false] {
        let options = FormatOptions { dup, cortex_pages: Some(320), ..FormatOptions::new(16_384) };
        let memory = formatted(&options);
        let fs = open(&memory, CACHED);
        let who = Caller::default();
        let dirs = [b"one", b"two"].map(|name| fs.mkdir(1, name, 0o755, &who).unwrap().ino);
        let sparse = fs.mknod(1, b"sparse", REG, 0, &who).unwrap().ino;
        for i in 0..NAMES {
            dirs.iter().for_each(|&dir| make(&fs, dir, i));
            if i < NODES {
                fs.write(sparse, i * NODE * BLOCK, &[i as u8 + 1; BLOCK as usize], false).unwrap();
            }
            if i % 250 == 249 {
                fs.syncfs().unwrap();
                let found = unchanged(&fs);
                assert!(found <= CACHED + PART, "dup {dup}: {found} blocks stay after a commit");
            }
        }
        look(&fs, &dirs, sparse);
        let blocks = fs.getattr(dirs[0]).unwrap().size / BLOCK;
        assert!(blocks > 2 * CACHED as u64, "the case did not happen: directories of {blocks} blocks");
        fs.shutdown().unwrap();
        demand_sound(&*memory, "closed");
        // Changes of what is not in memory any more, beside reads.
        let fs = open(&memory, CACHED);
        let find = |name: &[u8]| fs.lookup(1, name).unwrap().ino;
        let (dirs, sparse) = ([find(b"one"), find(b"two")], find(b"sparse"));
        look(&fs, &dirs, sparse);
        for i in (0..NAMES).step_by(7) {
            fs.unlink(dirs[0], &name(i)).unwrap();
            fs.lookup(dirs[1], &name(NAMES - 1 - i)).unwrap();
            make(&fs, dirs[0], i);
        }
        look(&fs, &dirs, sparse);
        fs.shutdown().unwrap();
        demand_sound(&*memory, "changed");
    }
}
