//! `chattr +i` and `+a`.

use crate::support::Mount;
use hn4_core::testing::{FormatOptions, formatted, loud, open};
use hn4_fuse::testing::calls::{flags, os_error, set_flags};
use hn4_fuse::{Cache, Settings};
use rustix::fs::{IFlags, copy_file_range, ioctl_setflags};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;

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

/// Whether it is known at the first open, or comes after it, and however the kernel caches.
#[test]
fn an_append_only_file_is_written_with_o_append_alone() {
    for (no_open, cache) in [
        (true, Cache::WriteThrough),
        (false, Cache::WriteThrough),
        (true, Cache::WriteBack),
        (false, Cache::WriteBack),
    ] {
        let settings = Settings { no_open, cache, ..Settings::default() };
        let Some(mount) = Mount::volume(settings) else { return };
        let at = format!("no_open {no_open}, {cache:?}");
        let path = mount.path("f");
        fs::write(&path, b"text").expect("f");
        fs::write(mount.path("source"), b"source").expect("source");
        set_flags(&path, IFlags::APPEND);
        let at_its_end = File::options().write(true).open(&path).and_then(|file| file.write_all_at(b"x", 4));
        // The kernel alone has what a file of a cache that writes back holds: see forged.rs.
        if !no_open || cache == Cache::WriteThrough {
            assert_eq!(os_error(at_its_end), libc::EPERM, "{at}");
            let copied = File::options().write(true).open(&path).and_then(|file| {
                let source = File::open(mount.path("source")).expect("source");
                Ok(copy_file_range(&source, Some(&mut 0), &file, Some(&mut 4), 6)?)
            });
            assert_eq!(os_error(copied), libc::EPERM, "{at}");
            assert_eq!(fs::read(&path).expect("read"), b"text", "{at}");
        }
        for more in [&b"+"[..], &[b'y'; 5000], b"-"] {
            let mut file = File::options().append(true).open(&path).expect("open");
            let before = file.metadata().expect("stat").len();
            file.write_all(more).expect("append");
            file.sync_all().unwrap_or_else(|error| panic!("fsync of {before} and more, {at}: {error}"));
        }
        assert!(fs::read(&path).expect("read").ends_with(b"yy-"), "{at}");
        set_flags(&path, IFlags::empty());
        mount.end();
    }
}

/// A volume that ever held such a file says so, and the first open of each later mount asks.
#[test]
fn later_mounts_ask_at_every_open() {
    for mark in [IFlags::IMMUTABLE, IFlags::APPEND] {
        for cache in [Cache::WriteThrough, Cache::WriteBack] {
            let device = formatted(&FormatOptions::new(8192));
            let settings = || Settings { cache, ..Settings::default() };
            let mount_it = || Mount::of(|| open(device.clone(), loud()), settings(), |_| {});
            let Some(mount) = mount_it() else { return };
            for name in ["f", "other"] {
                fs::write(mount.path(name), b"text").expect(name);
            }
            set_flags(mount.path("f"), mark);
            mount.end();
            drop(mount);

            let Some(mount) = mount_it() else { return };
            // First of all another file: nothing of `f` is known in memory.
            fs::write(mount.path("other"), b"more").expect("other");
            let opened = |append| File::options().append(append).write(true).open(mount.path("f"));
            assert_eq!(os_error(opened(false)), libc::EPERM, "{mark:?}, {cache:?}");
            match opened(true) {
                Ok(mut file) if mark == IFlags::APPEND => file.write_all(b"+").expect("append"),
                result => assert_eq!(os_error(result), libc::EPERM, "{mark:?}, {cache:?}"),
            }
            assert_eq!(os_error(File::create(mount.path("f"))), libc::EPERM);
            File::open(mount.path("f")).expect("for reading");
            set_flags(mount.path("f"), IFlags::empty());
            opened(false).expect("as any other");
            mount.end();
        }
    }
}
