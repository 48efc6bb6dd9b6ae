//! Calls that return when data is durable. After each, the state in which everything unflushed is lost
//! must hold the data; before it, nothing had asked for that, so the call did it.

use crate::program::{order, run, tell};
use crate::recorded::Recorded;
use hn4_core::testing::{Rng, noise};
use hn4_fuse::testing::LoopDevice;
use hn4_fuse::testing::calls::{Mapping, fsync, open};
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::ReadWriteFlags;
use std::fs::File;
use std::io::{IoSlice, Write};
use std::os::unix::fs::FileExt;

/// Inline, one block, many blocks with an end inside one.
const SIZES: [usize; 4] = [20, 4096, 70_001, 600_000];

fn assert_durable(mount: &Recorded, name: &str, expected: &[u8], what: &str) {
    let found = mount.durable_bytes(name).unwrap_or_else(|| panic!("{what}: {name} is not there"));
    assert!(found == expected, "{what}: {} of {} bytes, or others", found.len(), expected.len());
}

/// A file of each size is written, overwritten inside, and extended; `sync` after each.
fn each_write(sync: impl Fn(&Recorded, &str, &File)) {
    let Some(mount) = Recorded::lazy() else { return };
    for size in SIZES {
        let name = format!("f{size}");
        let file = open(mount.path(&name), 0);
        let mut expected = Vec::new();
        for (step, (at, len)) in [(0, size), (size / 3, size / 2), (size, 10_000)].into_iter().enumerate() {
            let data = noise((step + size) as u64, len);
            file.write_all_at(&data, at as u64).expect("write");
            expected.resize(expected.len().max(at + len), 0);
            expected[at..at + len].copy_from_slice(&data);
            assert_ne!(mount.durable_bytes(&name).as_ref(), Some(&expected), "durable before the call");
            sync(&mount, &name, &file);
            assert_durable(&mount, &name, &expected, &format!("{size} bytes, step {step}"));
        }
    }
    mount.finish();
}

#[test]
fn fsync_makes_data_durable() {
    each_write(|_, _, file| file.sync_all().expect("fsync"));
}

#[test]
fn fdatasync_makes_data_and_size_durable() {
    each_write(|_, _, file| file.sync_data().expect("fdatasync"));
}

#[test]
fn fsync_through_another_descriptor_is_the_same() {
    each_write(|mount, name, _| {
        fsync(mount.path(name));
    });
}

/// Another process than the one that wrote.
#[test]
fn sync_of_a_file_by_another_program_is_the_same() {
    each_write(|mount, name, _| {
        let done = std::process::Command::new("sync").arg(mount.path(name)).status().expect("sync");
        assert!(done.success());
    });
}

/// Through the mount of a file, syncfs() never reaches the daemon: the kernel asks only those of block
/// devices (and virtiofs). So nothing is promised there, and nothing is asserted.
#[test]
fn syncfs_on_a_block_device_makes_all_durable() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: needs root for a loop device");
        return;
    }
    let backing = tempfile::NamedTempFile::new().expect("a file");
    let Some(device) = LoopDevice::over(backing.path()) else { return };
    let mounted = Recorded::with(true, |options| {
        options.source = device.path.clone().into();
        options.block_device = true;
    });
    let Some(mount) = mounted else { return };
    for size in SIZES {
        std::fs::create_dir(mount.path(format!("d{size}"))).expect("mkdir");
        std::fs::write(mount.path(format!("f{size}")), noise(size as u64, size)).expect("write");
    }
    assert_eq!(mount.durable().len(), 1, "only the root before the call");
    rustix::fs::syncfs(File::open(&mount.root).expect("open")).expect("syncfs");
    for size in SIZES {
        assert_durable(&mount, &format!("f{size}"), &noise(size as u64, size), "syncfs");
        assert!(mount.durable().contains_key(&format!("/d{size}")));
    }
    mount.finish();
}

/// Each write through a descriptor with `flags` is durable when it returns.
fn each_write_of(flags: i32) {
    let Some(mount) = Recorded::lazy() else { return };
    let name = "f";
    let mut file = open(mount.path(name), flags);
    let mut expected = Vec::new();
    for size in SIZES {
        let data = noise(size as u64, size);
        file.write_all(&data).expect("write");
        expected.extend_from_slice(&data);
        assert_durable(&mount, name, &expected, &format!("{size} bytes appended"));
    }
    if flags & libc::O_APPEND == 0 {
        let data = noise(1, 5000);
        file.write_all_at(&data, 10_000).expect("write");
        expected[10_000..15_000].copy_from_slice(&data);
        assert_durable(&mount, name, &expected, "overwritten");
        file.write_all_at(&data, 2_000_000).expect("write");
        expected.resize(2_000_000, 0);
        expected.extend_from_slice(&data);
        assert_durable(&mount, name, &expected, "behind a hole");
    }
    drop(file);
    mount.finish();
}

#[test]
fn writes_with_o_sync_are_durable_when_they_return() {
    each_write_of(libc::O_SYNC);
}

#[test]
fn writes_with_o_dsync_are_durable_when_they_return() {
    each_write_of(libc::O_DSYNC);
}

#[test]
fn appends_with_o_sync_are_durable_when_they_return() {
    each_write_of(libc::O_SYNC | libc::O_APPEND);
}

#[repr(align(4096))]
struct Aligned([u8; 32_768]);

#[test]
fn direct_writes_with_o_sync_are_durable_when_they_return() {
    let Some(mount) = Recorded::lazy() else { return };
    let file = open(mount.path("f"), libc::O_DIRECT | libc::O_SYNC);
    let mut data = Box::new(Aligned([0; 32_768]));
    for round in 0..4 {
        Rng::new(round).fill(&mut data.0);
        file.write_all_at(&data.0, 0).expect("write");
        assert_durable(&mount, "f", &data.0, &format!("round {round}"));
    }
    drop(file);
    mount.finish();
}

#[test]
fn one_write_with_rwf_dsync_is_durable_and_takes_the_others_along() {
    let Some(mount) = Recorded::lazy() else { return };
    let file = open(mount.path("f"), 0);
    let data = noise(1, 30_000);
    file.write_all_at(&data[..20_000], 0).expect("write");
    assert_eq!(mount.durable_bytes("f"), None);
    let parts = [IoSlice::new(&data[20_000..])];
    let done = rustix::io::pwritev2(&file, &parts, 20_000, ReadWriteFlags::DSYNC).expect("pwritev2");
    assert_eq!(done, 10_000);
    assert_durable(&mount, "f", &data, "pwritev2");
    drop(file);
    mount.finish();
}

#[test]
fn sizes_and_holes_are_durable_after_fdatasync() {
    let Some(mount) = Recorded::lazy() else { return };
    let file = open(mount.path("f"), 0);
    let mut expected = noise(1, 200_000);
    file.write_all_at(&expected, 0).expect("write");
    file.sync_data().expect("fdatasync");
    for size in [150_001, 300_000, 10, 0, 80_000] {
        file.set_len(size).expect("truncate");
        assert_ne!(mount.durable_bytes("f").expect("there").len() as u64, size);
        file.sync_data().expect("fdatasync");
        expected.resize(size as usize, 0);
        assert_durable(&mount, "f", &expected, &format!("truncated to {size}"));
    }
    file.write_all_at(&noise(2, 80_000), 0).expect("write");
    file.sync_data().expect("fdatasync");
    let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    fallocate(&file, punch, 8192, 20_000).expect("punch");
    file.sync_data().expect("fdatasync");
    let mut expected = noise(2, 80_000);
    expected[8192..28_192].fill(0);
    assert_durable(&mount, "f", &expected, "punched");
    fallocate(&file, FallocateFlags::empty(), 0, 120_000).expect("fallocate");
    file.sync_data().expect("fdatasync");
    expected.resize(120_000, 0);
    assert_durable(&mount, "f", &expected, "allocated");
    drop(file);
    mount.finish();
}

const MAPPED: usize = 5 * 4096;

/// The program: writes through a shared mapping.
#[test]
#[ignore = "a program that another test starts"]
fn mapping_program() {
    let Some((dir, _)) = order() else { return };
    let file = File::options().read(true).write(true).create(true).truncate(true).open(dir.join("f"));
    let file = file.expect("f");
    file.set_len(MAPPED as u64).expect("size");
    file.sync_all().expect("fsync");
    let mut mapping = Mapping::of(&file, MAPPED);
    for round in 1..=5 {
        let data = noise(round, MAPPED);
        mapping.write(0, &data);
        tell(&format!("written {round}"));
        if round % 2 == 0 {
            // The mapping's pages are the file's.
            file.sync_all().expect("fsync");
        } else {
            mapping.sync();
        }
        tell(&format!("synced {round}"));
    }
}

#[test]
fn msync_and_fsync_make_a_shared_mapping_durable() {
    let Some(mount) = Recorded::lazy() else { return };
    let mut checks = 0;
    run("calls::mapping_program", &mount.root, "", |line| {
        let (what, round) = line.split_once(' ').expect("two words");
        let expected = noise(round.parse().expect("a number"), MAPPED);
        match what {
            "written" => assert_ne!(mount.durable_bytes("f").expect("there"), expected),
            _ => assert_durable(&mount, "f", &expected, line),
        }
        checks += 1;
    });
    assert_eq!(checks, 10);
    mount.finish();
}
