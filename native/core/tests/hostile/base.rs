//! The volumes that are harmed: one of everything, with one and with two metadata copies, closed and as a crash
//! leaves them.

use hn4_core::device::testing::MemDevice;
use hn4_core::format::Geometry;
use hn4_core::superblocks;
use hn4_core::testing::{FormatOptions, formatted, open};
use hn4_core::vfs::{Caller, FileSystem, RENAME_NOREPLACE, Vfs};
use hn4_core::volume::OpenOptions;
use std::sync::Arc;

const BLOCKS: u64 = 4096;
const BLOCK: u64 = 4096;
const REG: u32 = libc::S_IFREG | 0o644;
const KEEP_SIZE: u32 = 1;

/// A sound volume.
pub struct Image {
    pub device: MemDevice,
    pub geometry: Geometry,
    /// Numbers of its files are below.
    pub next_number: u64,
}

/// One of each.
pub struct Bases(Vec<Arc<Image>>);

impl Bases {
    pub fn make() -> Bases {
        Bases([true, false].into_iter().flat_map(filled).collect())
    }
    pub fn of(&self, seed: u64) -> Arc<Image> {
        self.0[(seed % self.0.len() as u64) as usize].clone()
    }
}

/// Closed; and after changes that were committed, with the log that holds them.
fn filled(dup: bool) -> [Arc<Image>; 2] {
    let memory = formatted(&FormatOptions { dup, ..FormatOptions::new(BLOCKS) });
    let fs = open(memory.clone(), OpenOptions::default());
    fill(&fs);
    fs.shutdown().expect("closes");
    let closed = image(memory.snapshot());
    let fs = open(memory.clone(), OpenOptions::default());
    change(&fs);
    let crashed = image(memory.snapshot());
    fs.shutdown().expect("closes");
    [Arc::new(closed), Arc::new(crashed)]
}

/// Two transactions that touch a little of everything.
fn change(fs: &FileSystem) {
    let who = Caller::default();
    let find = |name: &[u8]| fs.lookup(1, name).expect("is there").ino;
    let made = fs.mkdir(1, b"made", 0o755, &who).expect("makes").ino;
    fs.rename(1, b"short", made, b"moved", 0).expect("renames");
    fs.setxattr(find(b"attributes"), b"user.more", &[5; 500], 0).expect("sets");
    fs.syncfs().expect("commits");
    fs.write(find(b"dense"), 3 * BLOCK, &[8; 3 * BLOCK as usize], false).expect("writes");
    fs.write(find(b"sparse"), 80_000 * BLOCK, &[8; BLOCK as usize], false).expect("writes");
    fs.unlink(1, b"link").expect("unlinks");
    fs.mknod(1, b"new", REG, 0, &who).expect("makes");
    // Still open: among the orphans.
    find(b"gone");
    fs.unlink(1, b"gone").expect("unlinks");
    fs.lookup(1, b"new").expect("is there");
    fs.syncfs().expect("commits");
}

fn image(device: MemDevice) -> Image {
    let geometry = superblocks::read(&device).expect("a superblock").geometry;
    let found = hn4_core::log::checkpoint::read(&device, &geometry).expect("a checkpoint block");
    Image { device, geometry, next_number: found.checkpoint.next_number.min(400) }
}

fn fill(fs: &FileSystem) {
    let who = Caller::default();
    let make = |dir, name: &str| fs.mknod(dir, name.as_bytes(), REG, 0, &who).expect("makes").ino;
    let write = |ino, index: u64, count: usize| {
        fs.write(ino, index * BLOCK, &vec![index as u8 + 1; count * BLOCK as usize], false).expect("writes");
    };
    let below = fs.mkdir(1, b"many", 0o755, &who).expect("makes").ino;
    for i in 0..70 {
        make(below, &format!("{i:0120}"));
    }
    let deep = fs.mkdir(below, b"deep", 0o755, &who).expect("makes").ino;
    let deeper = fs.mkdir(deep, b"deeper", 0o700, &who).expect("makes").ino;
    let inline = make(deeper, "inline");
    fs.write(inline, 0, b"a few bytes", false).expect("writes");
    fs.link(inline, 1, b"link").expect("links");
    let dense = make(1, "dense");
    write(dense, 0, 20);
    fs.syncfs().expect("commits");
    // Overwritten block by block: shell 1, the overwrite area, segments.
    for round in 0..3 {
        for index in [2, 5, 9, 13] {
            write(dense, index + round, 1);
        }
        fs.syncfs().expect("commits");
    }
    let sparse = make(1, "sparse");
    for index in [0, 3, 70, 40_000, 9_000_000] {
        write(sparse, index, 2);
    }
    let ahead = make(1, "ahead");
    fs.fallocate(ahead, KEEP_SIZE, 0, 8 * BLOCK).expect("preallocates");
    let attributes = make(1, "attributes");
    fs.setxattr(attributes, b"user.small", b"value", 0).expect("sets");
    fs.setxattr(attributes, b"user.large", &[7; 3000], 0).expect("sets");
    fs.setxattr(attributes, b"user.hn4.public_id", b"0123456789abcdef0123456789abcdef", 0).expect("sets");
    fs.symlink(1, b"short", b"to/there", &who).expect("links");
    fs.symlink(1, b"long", &[b'x'; 900], &who).expect("links");
    fs.mknod(1, b"pipe", libc::S_IFIFO | 0o600, 0, &who).expect("makes");
    fs.mknod(1, b"device", libc::S_IFCHR | 0o600, 0x103, &who).expect("makes");
    let gone = make(1, "gone");
    write(gone, 0, 5);
    fs.syncfs().expect("commits");
    fs.rename(below, format!("{:0120}", 3).as_bytes(), deep, b"moved", RENAME_NOREPLACE).expect("renames");
    write(dense, 1, 1);
}
