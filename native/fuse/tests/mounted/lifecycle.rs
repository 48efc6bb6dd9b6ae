//! Mounting, unmounting, and what happens in between.

use crate::support::Mount;
use hn4_core::base::Code;
use hn4_core::testing::MemVfs;
use hn4_fuse::abi::opcode::{DESTROY, SYNCFS};
use hn4_fuse::testing::calls::{eventually, os_error};
use hn4_fuse::testing::{LoopDevice, no_fuse};
use hn4_fuse::{MountFlag, MountOptions, Session, Settings};
use std::fs;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

/// The mount table's line of a mountpoint.
fn table_line(root: &std::path::Path) -> Option<String> {
    let table = fs::read_to_string("/proc/self/mountinfo").expect("mountinfo");
    let root = root.to_str().expect("plain path");
    table.lines().find(|line| line.split(' ').nth(4) == Some(root)).map(str::to_owned)
}

#[test]
fn the_mount_table_shows_type_source_and_flags() {
    let mounted = Mount::with(Settings::default(), |options| {
        options.source = "/images/a,user_id=7 b\\.img".into();
        options.flags = vec![MountFlag::NoExec, MountFlag::NoSuid, MountFlag::NoDev, MountFlag::NoAtime];
    });
    let Some(mount) = mounted else { return };
    let line = table_line(&mount.root).expect("in the table");
    assert!(line.contains(" - fuse.hn4 /images/a,user_id=7\\040b\\134.img "), "{line}");
    assert!(line.contains("nosuid,nodev,noexec,noatime"), "{line}");
    assert!(line.contains("default_permissions") && line.contains("allow_other"), "{line}");
    let root = mount.root.clone();
    mount.finish();
    assert_eq!(table_line(&root), None);
}

#[test]
fn readahead_is_a_mebibyte() {
    let Some(mount) = Mount::new() else { return };
    use std::os::unix::fs::MetadataExt;
    let number = fs::metadata(&mount.root).expect("root").dev();
    let path = format!("/sys/class/bdi/{}:{}/read_ahead_kb", libc::major(number), libc::minor(number));
    if rustix::process::geteuid().is_root() {
        assert_eq!(fs::read_to_string(path).expect("bdi").trim(), "1024");
    }
    mount.finish();
}

#[test]
fn read_only_refuses_writers() {
    let Some(mount) = Mount::with(Settings::default(), |options| options.read_only = true) else { return };
    assert_eq!(os_error(fs::write(mount.path("f"), b"")), libc::EROFS);
    mount.finish();
}

#[test]
fn a_busy_mount_stays_and_a_lazy_unmount_waits_for_the_last_file() {
    let Some(mount) = Mount::new() else { return };
    fs::write(mount.path("f"), b"text").expect("f");
    let mut file = fs::File::open(mount.path("f")).expect("open");
    assert_eq!(os_error(mount.session.unmount(false)), libc::EBUSY);
    mount.session.unmount(true).expect("lazily");
    assert_eq!(table_line(&mount.root), None);
    assert!(mount.session.ended().is_none());
    let mut text = String::new();
    file.read_to_string(&mut text).expect("still served");
    assert_eq!(text, "text");
    drop(file);
    mount.session.wait().expect("ended");
    assert_eq!(mount.vfs.shutdowns(), 1);
    mount.session.unmount(false).expect("again: nothing to do");
}

#[test]
fn an_outside_umount_ends_the_session() {
    let Some(mount) = Mount::new() else { return };
    fs::write(mount.path("f"), b"x").expect("f");
    let status = std::process::Command::new("umount").arg(&mount.root).status().expect("umount");
    assert!(status.success());
    mount.session.wait().expect("ended");
    assert_eq!(mount.vfs.shutdowns(), 1);
}

#[test]
fn a_dropped_session_leaves_no_mount() {
    let Some(mount) = Mount::new() else { return };
    let (root, vfs) = (mount.root.clone(), mount.vfs.clone());
    drop(mount.session);
    assert_eq!(table_line(&root), None);
    assert!(eventually(|| vfs.shutdowns() == 1));
}

#[test]
fn the_result_of_shutdown_is_the_sessions() {
    let Some(mount) = Mount::new() else { return };
    mount.vfs.set_hook(Some(Box::new(|name| if name == "shutdown" { Err(Code::Io.into()) } else { Ok(()) })));
    mount.session.unmount(false).expect("unmounted");
    assert_eq!(mount.session.wait().err().map(|error| error.code), Some(Code::Io));
    assert_eq!(mount.vfs.shutdowns(), 1);
}

#[test]
fn a_missing_mountpoint_is_an_error_with_its_name() {
    if no_fuse() {
        return;
    }
    let options = MountOptions { mountpoint: "/no/such/place".into(), ..MountOptions::default() };
    let vfs = Arc::new(MemVfs::new(16));
    let error = Session::mount(vfs.clone(), &options, Settings::default()).err().expect("refused");
    assert_eq!(error.errno(), Some(libc::ENOENT));
    assert!(error.to_string().contains("/no/such/place"), "{error}");
    assert_eq!(vfs.shutdowns(), 0);
}

#[test]
fn a_hundred_mounts_leave_nothing_behind() {
    for round in 0..100 {
        let Some(mount) = Mount::new() else { return };
        fs::write(mount.path("f"), round.to_string()).expect("write");
        mount.finish();
    }
}

#[test]
fn umount_of_a_block_device_waits_for_the_volume() {
    if no_fuse() || !rustix::process::geteuid().is_root() {
        return;
    }
    let backing = tempfile::NamedTempFile::new().expect("a file");
    let Some(device) = LoopDevice::over(backing.path()) else { return };
    let mounted = Mount::with(Settings::default(), |options| {
        options.source = device.path.clone().into();
        options.block_device = true;
    });
    let Some(mount) = mounted else { return };
    let line = table_line(&mount.root).expect("in the table");
    assert!(line.contains(&format!(" - fuseblk.hn4 {} ", device.path)), "{line}");
    fs::write(mount.path("f"), b"x").expect("write");
    rustix::fs::syncfs(fs::File::open(&mount.root).expect("open")).expect("syncfs");
    assert!(mount.session.counters().of(SYNCFS) > 0, "syncfs reaches the volume");
    let closed = Arc::new(AtomicBool::new(false));
    let mark = closed.clone();
    mount.vfs.set_hook(Some(Box::new(move |name| {
        if name == "shutdown" {
            std::thread::sleep(Duration::from_millis(300));
            mark.store(true, SeqCst);
        }
        Ok(())
    })));
    let status = std::process::Command::new("umount").arg(&mount.root).status().expect("umount");
    assert!(status.success());
    assert!(closed.load(SeqCst), "the volume was closed before umount returned");
    assert_eq!(mount.session.counters().of(DESTROY), 1);
    mount.session.wait().expect("ended");
    assert_eq!(mount.vfs.shutdowns(), 1);
}
