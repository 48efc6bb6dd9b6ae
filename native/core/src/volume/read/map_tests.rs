//! The mapping walk against a model that knows of each block only whether it exists and was written.

use super::map::Holds;
use crate::device::testing::MemDevice;
use crate::testing::{FormatOptions, Rng, format_volume, with_seeds};
use crate::vfs::{Caller, FileSystem, Vfs};
use crate::volume::{Inode, OpenOptions, Volume};
use std::collections::BTreeMap;
use std::sync::Arc;

const BLOCK: u64 = 4096;
/// Blocks of a file that the operations touch.
const SPAN: u64 = 48;
const KEEP_SIZE: u32 = 1;
const PUNCH: u32 = 2 | KEEP_SIZE;

/// What the file should hold: per existing block whether it was written, and the size in bytes.
#[derive(Default)]
struct Model {
    blocks: BTreeMap<u64, bool>,
    size: u64,
}

impl Model {
    fn write(&mut self, first: u64, count: u64) {
        self.blocks.extend((first..first + count).map(|index| (index, true)));
        self.size = self.size.max((first + count) * BLOCK);
    }
    fn truncate(&mut self, blocks: u64) {
        // A file that grows keeps what was preallocated behind its end.
        if blocks * BLOCK < self.size {
            self.blocks.split_off(&blocks);
        }
        self.size = blocks * BLOCK;
    }
    fn punch(&mut self, first: u64, count: u64) {
        self.blocks.retain(|index, _| !(first..first + count).contains(index));
    }
    fn preallocate(&mut self, first: u64, count: u64) {
        for index in first..first + count {
            self.blocks.entry(index).or_insert(false);
        }
    }
}

fn check(volume: &Volume, inode: &Arc<Inode>, model: &Model, seed: u64) {
    let file = inode.share();
    let file = file.view();
    let end = SPAN + 4;
    let mut owned = BTreeMap::new();
    for index in 0..end {
        let mapping = volume.mapping(file, index, end - index).unwrap();
        let at = format!("seed {seed}, block {index}: {mapping:?}");
        assert_eq!(mapping.exists(), model.blocks.contains_key(&index), "{at}");
        assert!((1..=end - index).contains(&mapping.count), "{at}");
        for inside in index..index + mapping.count {
            assert_eq!(volume.mapping(file, inside, 1).unwrap().holds, mapping.holds, "{at}, {inside}");
        }
        if mapping.holds == Holds::Block {
            let extent = volume.extent(file, index, mapping.count, |_| ()).unwrap();
            assert_eq!(extent.written, model.blocks[&index], "{at}");
            owned.insert(index, extent.data);
        }
        let data = volume.seek(inode, index * BLOCK, true).ok();
        let next = model.blocks.range(index..).find(|(_, written)| **written);
        let wanted = next.map(|(index, _)| index * BLOCK).filter(|at| *at < model.size);
        assert_eq!(data, wanted, "{at}");
    }
    let mut from = 0;
    while let Some((first, count)) = volume.next_owned(file, from, end).unwrap() {
        assert!(first >= from && count > 0);
        for index in first..first + count {
            // Blocks whose newest bytes wait in memory may own one on the disk, too.
            let known = owned.remove(&index).is_some();
            assert!(known || file.in_memory(index).is_some(), "seed {seed}: block {index} is owned");
        }
        from = first + count;
    }
    assert!(owned.is_empty(), "seed {seed}: {owned:?} are placed and not owned");
}

#[test]
fn every_index_is_mapped_as_a_plain_model_says() {
    with_seeds(24, |seed| {
        let device = Arc::new(MemDevice::new(4096));
        format_volume(&*device, &FormatOptions::new(4096)).unwrap();
        let options = OpenOptions { sequential: true, ..OpenOptions::default() };
        let fs = FileSystem::new(Volume::open(device, options).unwrap().0);
        let attr = fs.mknod(1, b"file", libc::S_IFREG | 0o644, 0, &Caller::default()).unwrap();
        let inode = fs.volume.by_ino(attr.ino).unwrap();
        let (mut rng, mut model) = (Rng::new(seed), Model::default());
        for _ in 0..60 {
            let first = rng.below(SPAN);
            let count = 1 + rng.below(SPAN - first);
            match rng.below(8) {
                0..=2 => {
                    let bytes = vec![1 + rng.below(255) as u8; (count * BLOCK) as usize];
                    fs.write(attr.ino, first * BLOCK, &bytes, false).unwrap();
                    model.write(first, count);
                }
                3 => {
                    fs.fallocate(attr.ino, PUNCH, first * BLOCK, count * BLOCK).unwrap();
                    model.punch(first, count);
                }
                4 => {
                    fs.fallocate(attr.ino, KEEP_SIZE, first * BLOCK, count * BLOCK).unwrap();
                    model.preallocate(first, count);
                }
                5 => {
                    fs.volume.truncate(&inode, first * BLOCK, |_| {}).unwrap();
                    model.truncate(first);
                }
                _ => fs.fsync(attr.ino, false).unwrap(),
            }
            check(&fs.volume, &inode, &model, seed);
        }
        fs.shutdown().unwrap();
    });
}

#[test]
fn content_in_the_anchor_is_inline_and_then_a_hole() {
    let device = Arc::new(MemDevice::new(4096));
    format_volume(&*device, &FormatOptions::new(4096)).unwrap();
    let options = OpenOptions { sequential: true, ..OpenOptions::default() };
    let fs = FileSystem::new(Volume::open(device, options).unwrap().0);
    let attr = fs.mknod(1, b"file", libc::S_IFREG | 0o644, 0, &Caller::default()).unwrap();
    fs.write(attr.ino, 0, b"twenty-eight bytes at most", false).unwrap();
    fs.fsync(attr.ino, false).unwrap();
    let inode = fs.volume.by_ino(attr.ino).unwrap();
    let file = inode.share();
    let at =
        |index| fs.volume.mapping(file.view(), index, 9).map(|found| (found.holds, found.count)).unwrap();
    assert_eq!((at(0), at(1)), ((Holds::Inline, 1), (Holds::Hole, 9)));
}
