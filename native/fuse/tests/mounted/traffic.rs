//! Requests that are not sent, and those that are large.

use crate::support::Mount;
use hn4_fuse::abi::opcode::*;
use hn4_fuse::testing::calls::open;
use hn4_fuse::{Cache, Settings};
use std::fs;
use std::io::Read;

#[test]
fn open_release_and_flush_are_asked_once() {
    let Some(mount) = Mount::new() else { return };
    for _ in 0..20 {
        fs::write(mount.path("f"), b"x").expect("write");
        fs::read(mount.path("f")).expect("read");
        fs::read_dir(&mount.root).expect("list").count();
    }
    let counters = mount.session.counters();
    for opcode in [OPEN, FLUSH, OPENDIR, CREATE] {
        assert!(counters.of(opcode) <= 1, "{} {}", name(opcode), counters.of(opcode));
    }
    assert_eq!((counters.of(RELEASE), counters.of(RELEASEDIR)), (0, 0));
    assert_eq!(counters.of(MKNOD), 1);
    mount.finish();
}

#[test]
fn names_attributes_and_absence_are_cached() {
    let Some(mount) = Mount::new() else { return };
    fs::write(mount.path("f"), b"x").expect("write");
    let look = || {
        fs::metadata(mount.path("f")).expect("f");
        fs::metadata(mount.path("none")).expect_err("absent");
        fs::read(mount.path("f")).expect("read");
    };
    look();
    look();
    let before = mount.session.counters().total();
    for _ in 0..50 {
        look();
    }
    assert_eq!(mount.session.counters().total(), before);
    mount.finish();
}

#[test]
fn a_listing_brings_the_attributes() {
    let Some(mount) = Mount::new() else { return };
    for index in 0..100 {
        fs::write(mount.path(format!("{index}")), b"x").expect("write");
    }
    rustix::fs::syncfs(fs::File::open(&mount.root).expect("open")).expect("syncfs");
    fs::write("/proc/sys/vm/drop_caches", "2").unwrap_or(());
    let lookups = mount.session.counters().of(LOOKUP);
    let stats = fs::read_dir(&mount.root).expect("list").map(|entry| entry.expect("entry").metadata());
    assert!(stats.into_iter().all(|stat| stat.is_ok()));
    let counters = mount.session.counters();
    assert!(counters.of(READDIRPLUS) > 0);
    assert_eq!(counters.of(LOOKUP), lookups);
    mount.finish();
}

#[test]
fn requests_carry_a_mebibyte() {
    let Some(mount) = Mount::new() else { return };
    let data = vec![5; 16 << 20];
    fs::write(mount.path("f"), &data).expect("write");
    let writes = mount.session.counters().of(WRITE);
    assert!(writes <= 20, "{writes} for 16 MiB");
    let mut direct = open(mount.path("f"), libc::O_DIRECT);
    let mut read = vec![0; data.len()];
    direct.read_exact(&mut read).expect("read");
    let reads = mount.session.counters().of(READ);
    assert!(reads <= 20, "{reads} for 16 MiB");
    assert!(read == data);
    drop(direct);
    mount.finish();
}

#[test]
fn with_write_back_the_kernel_gathers_writes() {
    let settings = Settings { cache: Cache::WriteBack, ..Settings::default() };
    let Some(mount) = Mount::with(settings, |_| {}) else { return };
    use std::os::unix::fs::FileExt;
    let file = open(mount.path("f"), 0);
    for index in 0..1_000u64 {
        file.write_all_at(&index.to_le_bytes(), index * 8).expect("write");
    }
    assert_eq!(file.metadata().expect("fstat").len(), 8_000);
    file.sync_all().expect("fsync");
    let writes = mount.session.counters().of(WRITE);
    assert!(writes < 100, "{writes}");
    drop(file);
    let data = fs::read(mount.path("f")).expect("read");
    assert!(data.chunks(8).enumerate().all(|(index, bytes)| bytes == (index as u64).to_le_bytes()));
    mount.finish();
}
