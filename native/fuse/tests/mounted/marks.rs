//! `chattr +i` and `+a`.

use crate::support::Mount;
use hn4_fuse::Settings;
use hn4_fuse::testing::calls::{flags, os_error, set_flags};
use rustix::fs::{IFlags, ioctl_setflags};
use std::fs;
use std::io::Write;

#[test]
fn an_immutable_file_refuses_everything() {
    for no_open in [true, false] {
        let Some(mount) = Mount::with(Settings { no_open, ..Settings::default() }, |_| {}) else { return };
        let path = mount.path("f");
        fs::write(&path, b"text").expect("f");
        set_flags(&path, IFlags::IMMUTABLE);
        assert_eq!(flags(&path), IFlags::IMMUTABLE);
        let write = || fs::File::options().write(true).open(&path).and_then(|mut file| file.write_all(b"x"));
        assert_eq!(os_error(write()), libc::EPERM, "no_open {no_open}");
        assert_eq!(os_error(fs::remove_file(&path)), libc::EPERM);
        assert_eq!(os_error(fs::rename(&path, mount.path("g"))), libc::EPERM);
        assert_eq!(os_error(fs::hard_link(&path, mount.path("g"))), libc::EPERM);
        assert_eq!(fs::read(&path).expect("read"), b"text");
        set_flags(&path, IFlags::empty());
        fs::remove_file(&path).expect("unlink");
        mount.finish();
    }
}

#[test]
fn an_append_only_file_only_grows() {
    for no_open in [true, false] {
        let Some(mount) = Mount::with(Settings { no_open, ..Settings::default() }, |_| {}) else { return };
        let path = mount.path("f");
        fs::write(&path, b"text").expect("f");
        set_flags(&path, IFlags::APPEND);
        fs::File::options()
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(b"+"))
            .expect("append");
        let overwrite = fs::File::options().write(true).open(&path).and_then(|mut file| file.write_all(b"x"));
        assert_eq!(os_error(overwrite), libc::EPERM, "no_open {no_open}");
        assert_eq!(os_error(fs::File::create(&path)), libc::EPERM);
        assert_eq!(fs::read(&path).expect("read"), b"text+");
        set_flags(&path, IFlags::empty());
        mount.finish();
    }
}

#[test]
fn directories_carry_marks_too() {
    let Some(mount) = Mount::new() else { return };
    fs::create_dir(mount.path("d")).expect("mkdir");
    fs::write(mount.path("d/f"), b"").expect("create");
    set_flags(mount.path("d"), IFlags::APPEND);
    fs::write(mount.path("d/g"), b"").expect("append-only takes new names");
    assert_eq!(os_error(fs::remove_file(mount.path("d/f"))), libc::EPERM);
    set_flags(mount.path("d"), IFlags::IMMUTABLE);
    assert_eq!(os_error(fs::write(mount.path("d/h"), b"")), libc::EPERM);
    set_flags(mount.path("d"), IFlags::empty());
    mount.finish();
}

/// Above all +S and +D, whose promise nobody would keep (`-o sync` and `-o dirsync` are for whole mounts).
#[test]
fn other_marks_are_refused() {
    let Some(mount) = Mount::new() else { return };
    fs::write(mount.path("f"), b"").expect("create");
    fs::create_dir(mount.path("d")).expect("mkdir");
    for name in ["f", "d"] {
        let file = fs::File::open(mount.path(name)).expect("open");
        for other in [IFlags::SYNC, IFlags::DIRSYNC, IFlags::NOATIME, IFlags::APPEND | IFlags::SYNC] {
            assert_eq!(ioctl_setflags(&file, other).err(), Some(rustix::io::Errno::OPNOTSUPP), "{other:?}");
            assert_eq!(flags(mount.path(name)), IFlags::empty());
        }
    }
    mount.finish();
}
