//! A `Vfs` that fails, panics, or speaks out of turn.

use crate::support::Mount;
use hn4_core::base::{Code, Result};
use hn4_core::vfs::api::Vfs;
use hn4_fuse::Settings;
use hn4_fuse::testing::calls::os_error;
use std::fs;
use std::sync::{Arc, Mutex};

fn failing(operation: &'static str, code: Code) -> Option<hn4_core::testing::Hook> {
    Some(Box::new(move |name| -> Result<()> {
        if name == operation { Err(code.into()) } else { Ok(()) }
    }))
}

#[test]
fn a_panic_is_an_eio_and_a_line_in_the_log() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = lines.clone();
    let log: hn4_fuse::Log = Arc::new(move |line: &str| sink.lock().expect("log").push(line.to_owned()));
    let Some(mount) = Mount::with(Settings { log, ..Settings::default() }, |_| {}) else { return };
    mount.vfs.set_hook(Some(Box::new(|name| if name == "mkdir" { panic!("broken rule") } else { Ok(()) })));
    for _ in 0..20 {
        assert_eq!(os_error(fs::create_dir(mount.path("d"))), libc::EIO);
    }
    mount.vfs.set_hook(None);
    fs::create_dir(mount.path("d")).expect("all threads are alive");
    let lines = lines.lock().expect("log").clone();
    assert_eq!(lines.len(), 20);
    assert_eq!(lines[0], "MKDIR of node 1 panicked: broken rule");
    mount.finish();
}

#[test]
fn enosys_from_below_is_never_taken_as_success() {
    let Some(mount) = Mount::new() else { return };
    fs::write(mount.path("f"), b"x").expect("f");
    mount.vfs.set_hook(failing("fsync", Code::NotImplemented));
    for _ in 0..3 {
        let file = fs::File::open(mount.path("f")).expect("open");
        assert_eq!(os_error(file.sync_all()), libc::EOPNOTSUPP);
    }
    mount.vfs.set_hook(None);
    mount.finish();
}

#[test]
fn errors_arrive_with_their_number() {
    let Some(mount) = Mount::new() else { return };
    for (code, errno) in
        [(Code::Corrupt, libc::EUCLEAN), (Code::NoSpace, libc::ENOSPC), (Code::ReadOnly, libc::EROFS)]
    {
        mount.vfs.set_hook(failing("mkdir", code));
        assert_eq!(os_error(fs::create_dir(mount.path("d"))), errno);
    }
    mount.vfs.set_hook(failing("readdir", Code::DataDamaged));
    let listed: std::io::Result<Vec<_>> = fs::read_dir(&mount.root).and_then(|entries| entries.collect());
    assert_eq!(os_error(listed), libc::EIO);
    mount.vfs.set_hook(None);
    mount.finish();
}

#[test]
fn a_change_behind_the_kernels_back_can_be_announced() {
    let Some(mount) = Mount::new() else { return };
    fs::write(mount.path("f"), b"old").expect("f");
    assert_eq!(fs::read(mount.path("f")).expect("read"), b"old");
    fs::metadata(mount.path("new")).expect_err("absent, and cached as such");
    let ino = mount.vfs.lookup(1, b"f").expect("f").ino;
    mount.vfs.write(ino, 0, b"NEWER", false).expect("behind its back");
    let who = Default::default();
    let made = mount.vfs.mkdir(1, b"new", 0o755, &who).expect("mkdir").ino;
    mount.session.invalidate_inode(ino, 0, 0).expect("announced");
    mount.session.invalidate_entry(1, b"new").expect("announced");
    mount.session.invalidate_entry(1, b"unknown").expect("nothing cached is fine");
    assert_eq!(fs::read(mount.path("f")).expect("read"), b"NEWER");
    assert!(mount.path("new").is_dir());
    mount.vfs.forget(ino, 1);
    mount.vfs.forget(made, 1);
    mount.finish();
}
