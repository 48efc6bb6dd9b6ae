//! Contents: reading, writing, sparse files, copying, mapping.

use crate::support::Mount;
use hn4_core::testing::noise;
use hn4_fuse::testing::calls::{Mapping, errno, open};
use rustix::fs::{FallocateFlags, SeekFrom, copy_file_range, fallocate, seek};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt};

#[test]
fn any_offset_and_length_reads_back() {
    let Some(mount) = Mount::new() else { return };
    let file = open(mount.path("f"), 0);
    let mut model = Vec::new();
    let seed = 0x686e_3461;
    let numbers = noise(seed, 64 * 6);
    for step in numbers.chunks(6) {
        let offset = usize::from(u16::from_le_bytes([step[0], step[1]])) * 37;
        let length = usize::from(u16::from_le_bytes([step[2], step[3]])) * 5;
        let data = noise(u64::from(step[4]), length);
        file.write_all_at(&data, offset as u64).expect("write");
        model.resize(model.len().max(offset + length), 0);
        model[offset..offset + length].copy_from_slice(&data);
    }
    assert!(fs::read(mount.path("f")).expect("read") == model, "seed {seed:#x}");
    // Again without the page cache's help.
    drop(file);
    let direct = open(mount.path("f"), libc::O_DIRECT);
    let mut read = vec![0; model.len()];
    direct.read_exact_at(&mut read, 0).expect("read");
    assert!(read == model, "seed {seed:#x}");
    drop(direct);
    mount.finish();
}

#[test]
fn direct_writes_and_cached_reads_agree() {
    let Some(mount) = Mount::new() else { return };
    let data = noise(3, 5 << 20);
    fs::write(mount.path("f"), vec![1; data.len()]).expect("cached");
    assert_eq!(fs::read(mount.path("f")).expect("read").len(), data.len());
    let direct = open(mount.path("f"), libc::O_DIRECT);
    direct.write_all_at(&data, 0).expect("write");
    assert!(fs::read(mount.path("f")).expect("read") == data);
    drop(direct);
    mount.finish();
}

#[test]
fn appends_go_to_the_end() {
    let Some(mount) = Mount::new() else { return };
    let append = || fs::File::options().append(true).create(true).open(mount.path("f")).expect("append");
    let (mut a, mut b) = (append(), append());
    for _ in 0..3 {
        a.write_all(b"aa").expect("write");
        b.write_all(b"b").expect("write");
    }
    assert_eq!(fs::read(mount.path("f")).expect("read"), b"aabaabaab");
    drop((a, b));
    mount.finish();
}

#[test]
fn holes_are_found_and_read_as_zeros() {
    let Some(mount) = Mount::new() else { return };
    let file = open(mount.path("f"), 0);
    file.write_all_at(b"x", 1 << 20).expect("write");
    file.set_len(2 << 20).expect("grow");
    assert_eq!(file.metadata().expect("fstat").blocks(), 8);
    assert_eq!(seek(&file, SeekFrom::Data(0)).expect("data"), 1 << 20);
    assert_eq!(seek(&file, SeekFrom::Hole(1 << 20)).expect("hole"), (1 << 20) + 4096);
    assert_eq!(seek(&file, SeekFrom::Hole(0)).expect("hole"), 0);
    assert_eq!(errno(seek(&file, SeekFrom::Data((1 << 20) + 4096))), libc::ENXIO);
    assert_eq!(errno(seek(&file, SeekFrom::Hole(2 << 20))), libc::ENXIO);
    let mut byte = [1; 16];
    file.read_exact_at(&mut byte, 500_000).expect("read");
    assert_eq!(byte, [0; 16]);
    drop(file);
    mount.finish();
}

#[test]
fn fallocate_reserves_punches_and_zeroes() {
    let Some(mount) = Mount::new() else { return };
    let file = open(mount.path("f"), 0);
    let (none, keep) = (FallocateFlags::empty(), FallocateFlags::KEEP_SIZE);
    fallocate(&file, none, 0, 10_000).expect("plain");
    assert_eq!(
        (file.metadata().expect("fstat").len(), file.metadata().expect("fstat").blocks()),
        (10_000, 24)
    );
    fallocate(&file, keep, 10_000, 100_000).expect("keep size");
    assert_eq!(file.metadata().expect("fstat").len(), 10_000);
    file.write_all_at(&[9; 10_000], 0).expect("write");
    fallocate(&file, FallocateFlags::PUNCH_HOLE | keep, 100, 8_192).expect("punch");
    let mut expected = vec![9; 10_000];
    expected[100..8_292].fill(0);
    assert!(fs::read(mount.path("f")).expect("read") == expected);
    fallocate(&file, FallocateFlags::ZERO_RANGE, 9_000, 3_000).expect("zero");
    expected.resize(12_000, 0);
    expected[9_000..].fill(0);
    assert!(fs::read(mount.path("f")).expect("read") == expected);
    assert_eq!(errno(fallocate(&file, FallocateFlags::COLLAPSE_RANGE, 0, 4096)), libc::EOPNOTSUPP);
    assert_eq!(errno(fallocate(&file, none, 0, 1 << 50)), libc::ENOSPC);
    drop(file);
    mount.finish();
}

#[test]
fn copy_file_range_stays_in_the_engine() {
    let Some(mount) = Mount::new() else { return };
    let data = noise(11, 3 << 20);
    fs::write(mount.path("a"), &data).expect("a");
    let (a, b) = (open(mount.path("a"), 0), open(mount.path("b"), 0));
    let reads = mount.session.counters().of(hn4_fuse::abi::opcode::READ);
    let (mut from, mut to) = (5, 70_000);
    let mut left = data.len() - 5;
    while left > 0 {
        left -= copy_file_range(&a, Some(&mut from), &b, Some(&mut to), left).expect("copy");
    }
    assert_eq!(mount.session.counters().of(hn4_fuse::abi::opcode::READ), reads);
    let copied = fs::read(mount.path("b")).expect("b");
    assert!(copied[..70_000].iter().all(|&byte| byte == 0) && copied[70_000..] == data[5..]);
    let (mut from, mut to) = (0, 100);
    assert_eq!(errno(copy_file_range(&a, Some(&mut from), &a, Some(&mut to), 4096)), libc::EINVAL);
    drop((a, b));
    mount.finish();
}

#[test]
fn fsync_in_all_forms_reaches_the_volume() {
    use hn4_fuse::abi::opcode::{FSYNC, FSYNCDIR};
    let Some(mount) = Mount::new() else { return };
    let mut file = open(mount.path("f"), 0);
    file.write_all(b"x").expect("write");
    file.sync_all().expect("fsync");
    file.sync_data().expect("fdatasync");
    let dir = fs::File::open(&mount.root).expect("open");
    dir.sync_all().expect("fsync of a directory");
    dir.sync_all().expect("again");
    let counters = mount.session.counters();
    assert_eq!((counters.of(FSYNC), counters.of(FSYNCDIR)), (2, 2));
    let mut synced = open(mount.path("f"), libc::O_SYNC);
    synced.write_all(b"y").expect("write");
    assert_eq!(counters.of(FSYNC), 3);
    drop((file, dir, synced));
    mount.finish();
}

#[test]
fn a_shared_mapping_writes_to_the_file() {
    let Some(mount) = Mount::new() else { return };
    let file = open(mount.path("f"), 0);
    file.set_len(8_192).expect("grow");
    let mut mapping = Mapping::of(&file, 8_192);
    mapping.write(5_000, &[42]);
    mapping.sync();
    drop(mapping);
    let mut direct = vec![0; 8_192];
    let mut reader = open(mount.path("f"), libc::O_DIRECT);
    reader.read_exact(&mut direct).expect("read");
    assert_eq!(direct[5_000], 42);
    drop((file, reader));
    mount.finish();
}
