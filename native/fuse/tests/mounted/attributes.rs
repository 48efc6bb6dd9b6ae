//! Modes, owners, sizes, times, statfs, statx.

use crate::support::{BLOCKS, Mount};
use hn4_fuse::testing::calls::{chmod, mode, os_error};
use rustix::fs::{AtFlags, CWD, StatxFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, statx, utimensat};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, chown};

#[test]
fn mode_and_owner_are_kept_and_chown_drops_set_id() {
    let Some(mount) = Mount::new() else { return };
    fs::write(mount.path("f"), b"").expect("f");
    chmod(mount.path("f"), 0o6755);
    assert_eq!(mode(mount.path("f")), 0o6755);
    chown(mount.path("f"), Some(1000), Some(2000)).expect("chown");
    let attributes = fs::metadata(mount.path("f")).expect("f");
    assert_eq!((attributes.uid(), attributes.gid()), (1000, 2000));
    assert_eq!(mode(mount.path("f")), 0o755);
    // Without group execution set-group-id is mandatory locking, and stays.
    chmod(mount.path("f"), 0o6644);
    chown(mount.path("f"), Some(1001), None).expect("chown");
    assert_eq!(mode(mount.path("f")), 0o2644);
    fs::create_dir(mount.path("d")).expect("d");
    chmod(mount.path("d"), 0o2775);
    chown(mount.path("d"), None, Some(3000)).expect("chown");
    assert_eq!(mode(mount.path("d")), 0o2775, "directories keep theirs");
    fs::write(mount.path("d/f"), b"").expect("d/f");
    assert_eq!(fs::metadata(mount.path("d/f")).expect("d/f").gid(), 3000, "the directory's group");
    fs::create_dir(mount.path("d/d")).expect("d/d");
    assert_eq!(mode(mount.path("d/d")) & 0o2000, 0o2000);
    mount.finish();
}

#[test]
fn the_umask_applies() {
    let Some(mount) = Mount::new() else { return };
    // In a process of its own: the umask is shared by all threads, that is by all tests.
    let mut shell = std::process::Command::new("sh");
    shell.args(["-ec", "umask 027; cd \"$0\"; : > f; mkdir d"]).arg(&mount.root);
    assert!(shell.status().expect("sh").success());
    assert_eq!((mode(mount.path("f")), mode(mount.path("d"))), (0o640, 0o750));
    mount.finish();
}

#[test]
fn sizes_change_and_o_trunc_empties() {
    let Some(mount) = Mount::new() else { return };
    let path = mount.path("f");
    fs::write(&path, b"0123456789").expect("f");
    fs::File::options().write(true).open(&path).expect("open").set_len(4).expect("shrink");
    assert_eq!(fs::read(&path).expect("read"), b"0123");
    fs::File::options().write(true).open(&path).expect("open").set_len(6).expect("grow");
    assert_eq!(fs::read(&path).expect("read"), b"0123\0\0");
    let file = fs::File::options().write(true).truncate(true).open(&path).expect("O_TRUNC");
    assert_eq!(file.metadata().expect("fstat").len(), 0);
    assert_eq!(fs::read(&path).expect("read"), b"");
    drop(file);
    mount.finish();
}

#[test]
fn times_before_1970_are_kept_and_now_is_the_clocks() {
    let Some(mount) = Mount::new() else { return };
    let path = mount.path("f");
    fs::write(&path, b"").expect("f");
    let early = Timespec { tv_sec: -86_400, tv_nsec: 123_456_789 };
    let late = Timespec { tv_sec: 4_000_000_000, tv_nsec: 1 };
    utimensat(CWD, &path, &Timestamps { last_access: early, last_modification: late }, AtFlags::empty())
        .expect("utimes");
    let seen = fs::metadata(&path).expect("f");
    assert_eq!((seen.atime(), seen.atime_nsec()), (-86_400, 123_456_789));
    assert_eq!((seen.mtime(), seen.mtime_nsec()), (4_000_000_000, 1));
    assert!(seen.ctime() > 1_600_000_000);
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let omit = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    utimensat(CWD, &path, &Timestamps { last_access: now, last_modification: omit }, AtFlags::empty())
        .expect("utimes");
    let seen = fs::metadata(&path).expect("f");
    assert!(seen.atime() > 1_600_000_000);
    assert_eq!((seen.mtime(), seen.mtime_nsec()), (4_000_000_000, 1));
    mount.finish();
}

#[test]
fn statx_tells_the_time_of_birth() {
    let Some(mount) = Mount::new() else { return };
    fs::write(mount.path("f"), b"").expect("f");
    let wanted = StatxFlags::BTIME | StatxFlags::BASIC_STATS;
    let before = statx(CWD, mount.path("f"), AtFlags::empty(), wanted).expect("statx");
    assert_ne!(before.stx_mask & StatxFlags::BTIME.bits(), 0);
    std::thread::sleep(std::time::Duration::from_millis(2));
    fs::File::options().append(true).open(mount.path("f")).expect("open").write_all(b"x").expect("write");
    let after = statx(CWD, mount.path("f"), AtFlags::empty(), wanted).expect("statx");
    let birth = (before.stx_btime.tv_sec, before.stx_btime.tv_nsec);
    assert_eq!(birth, (after.stx_btime.tv_sec, after.stx_btime.tv_nsec));
    assert!((after.stx_mtime.tv_sec, after.stx_mtime.tv_nsec) > birth);
    assert_eq!(after.stx_size, 1);
    mount.finish();
}

#[test]
fn a_change_of_entries_shows_in_the_directorys_times() {
    let Some(mount) = Mount::new() else { return };
    let time = || {
        let seen = fs::metadata(&mount.root).expect("root");
        (seen.mtime(), seen.mtime_nsec())
    };
    let mut last = time();
    let mut step = |what: &str, act: &dyn Fn() -> std::io::Result<()>| {
        std::thread::sleep(std::time::Duration::from_millis(2));
        act().expect(what);
        let now = time();
        assert!(now > last, "{what} moves mtime");
        last = now;
    };
    step("create", &|| fs::write(mount.path("a"), b""));
    step("link", &|| fs::hard_link(mount.path("a"), mount.path("b")));
    step("rename", &|| fs::rename(mount.path("a"), mount.path("c")));
    step("unlink", &|| fs::remove_file(mount.path("b")));
    step("mkdir", &|| fs::create_dir(mount.path("d")));
    step("rmdir", &|| fs::remove_dir(mount.path("d")));
    mount.finish();
}

#[test]
fn statfs_counts_blocks_and_files() {
    let Some(mount) = Mount::new() else { return };
    let figures = || rustix::fs::statvfs(&mount.root).expect("statvfs");
    let before = figures();
    assert_eq!(
        (before.f_bsize, before.f_frsize, before.f_blocks, before.f_namemax),
        (4096, 4096, BLOCKS, 255)
    );
    fs::write(mount.path("f"), vec![1; 40_960]).expect("ten blocks");
    let after = figures();
    assert_eq!((before.f_bfree - after.f_bfree, before.f_ffree - after.f_ffree), (10, 1));
    assert_eq!(fs::metadata(mount.path("f")).expect("f").blocks(), 80);
    mount.finish();
}

#[test]
fn a_full_volume_says_so() {
    let Some(mount) = Mount::new() else { return };
    let mut file = fs::File::create(mount.path("f")).expect("f");
    let chunk = vec![7; 1 << 20];
    let error = loop {
        if let Err(error) = file.write_all(&chunk) {
            break error;
        }
    };
    assert_eq!(error.raw_os_error(), Some(libc::ENOSPC));
    assert_eq!(file.metadata().expect("fstat").len(), BLOCKS * 4096);
    drop(file);
    fs::remove_file(mount.path("f")).expect("unlink");
    assert_eq!(os_error(fs::File::options().write(true).open(mount.path("f"))), libc::ENOENT);
    mount.finish();
}
