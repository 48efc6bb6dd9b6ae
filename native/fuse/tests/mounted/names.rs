//! Making, linking, removing and finding names.

use crate::support::Mount;
use hn4_fuse::testing::calls::{errno, eventually, os_error};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, linkat, makedev, mknodat, openat};
use std::fs;
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};

#[test]
fn files_directories_and_symlinks_appear_and_go() {
    let Some(mount) = Mount::new() else { return };
    fs::create_dir(mount.path("d")).expect("mkdir");
    fs::write(mount.path("d/f"), b"text").expect("create");
    symlink("f", mount.path("d/s")).expect("symlink");
    assert_eq!(fs::read(mount.path("d/s")).expect("through the symlink"), b"text");
    assert_eq!(fs::read_link(mount.path("d/s")).expect("readlink").as_os_str(), "f");
    assert_eq!(fs::metadata(&mount.root).expect("root").nlink(), 3);
    assert_eq!(os_error(fs::remove_dir(mount.path("d"))), libc::ENOTEMPTY);
    assert_eq!(os_error(fs::remove_file(mount.path("d"))), libc::EISDIR);
    assert_eq!(os_error(fs::remove_dir(mount.path("d/f"))), libc::ENOTDIR);
    assert_eq!(os_error(fs::create_dir(mount.path("d"))), libc::EEXIST);
    assert_eq!(os_error(fs::read(mount.path("none"))), libc::ENOENT);
    assert_eq!(os_error(fs::read(mount.path("d/f/x"))), libc::ENOTDIR);
    fs::remove_file(mount.path("d/s")).expect("unlink");
    fs::remove_file(mount.path("d/f")).expect("unlink");
    fs::remove_dir(mount.path("d")).expect("rmdir");
    assert_eq!(fs::metadata(&mount.root).expect("root").nlink(), 2);
    mount.finish();
}

#[test]
fn names_are_bytes_and_end_at_255() {
    use std::os::unix::ffi::OsStrExt;
    let Some(mount) = Mount::new() else { return };
    let odd = std::ffi::OsStr::from_bytes(b"\xff\xfe \n,\\");
    fs::write(mount.path(odd), b"x").expect("any bytes");
    let listed: Vec<_> =
        fs::read_dir(&mount.root).expect("list").map(|entry| entry.expect("entry").file_name()).collect();
    assert_eq!(listed, [odd]);
    fs::write(mount.path("n".repeat(255)), b"x").expect("255 bytes");
    assert_eq!(os_error(fs::write(mount.path("n".repeat(256)), b"x")), libc::ENAMETOOLONG);
    mount.finish();
}

#[test]
fn special_files_keep_type_and_number() {
    let Some(mount) = Mount::new() else { return };
    let mode = Mode::from_raw_mode(0o640);
    let number = makedev(300, 70_000);
    mknodat(CWD, mount.path("fifo"), FileType::Fifo, mode, 0).expect("mkfifo");
    mknodat(CWD, mount.path("sock"), FileType::Socket, mode, 0).expect("socket");
    mknodat(CWD, mount.path("char"), FileType::CharacterDevice, mode, number).expect("character device");
    mknodat(CWD, mount.path("zero"), FileType::CharacterDevice, mode, 0).expect("a whiteout");
    mknodat(CWD, mount.path("block"), FileType::BlockDevice, mode, number).expect("block device");
    let of = |name| fs::symlink_metadata(mount.path(name)).expect(name);
    assert!(of("fifo").file_type().is_fifo());
    assert!(of("sock").file_type().is_socket());
    assert!(of("char").file_type().is_char_device());
    assert!(of("block").file_type().is_block_device());
    assert_eq!((of("char").rdev(), of("zero").rdev(), of("block").rdev()), (number, 0, number));
    mount.finish();
}

#[test]
fn hard_links_share_the_file() {
    let Some(mount) = Mount::new() else { return };
    fs::write(mount.path("a"), b"1").expect("create");
    fs::hard_link(mount.path("a"), mount.path("b")).expect("link");
    fs::write(mount.path("b"), b"22").expect("write by the other name");
    let (a, b) = (fs::metadata(mount.path("a")).expect("a"), fs::metadata(mount.path("b")).expect("b"));
    assert_eq!((a.ino(), a.nlink(), a.len()), (b.ino(), 2, 2));
    assert_eq!(os_error(fs::hard_link(mount.path("a"), mount.path("b"))), libc::EEXIST);
    fs::create_dir(mount.path("d")).expect("mkdir");
    assert_eq!(os_error(fs::hard_link(mount.path("d"), mount.path("e"))), libc::EPERM);
    fs::remove_file(mount.path("a")).expect("unlink");
    assert_eq!(fs::metadata(mount.path("b")).expect("b").nlink(), 1);
    mount.finish();
}

#[test]
fn an_unlinked_open_file_lives_until_it_is_closed() {
    let Some(mount) = Mount::new() else { return };
    let mut file =
        fs::File::options().read(true).write(true).create_new(true).open(mount.path("f")).expect("create");
    fs::remove_file(mount.path("f")).expect("unlink");
    file.write_all(b"still here").expect("write");
    file.rewind().expect("seek");
    let mut text = String::new();
    file.read_to_string(&mut text).expect("read");
    let attributes = file.metadata().expect("fstat");
    assert_eq!((text.as_str(), attributes.nlink(), attributes.len()), ("still here", 0, 10));
    file.set_len(3).expect("ftruncate");
    assert_eq!(file.metadata().expect("fstat").len(), 3);
    assert_eq!(mount.vfs.file_count(), 2);
    drop(file);
    // FORGET comes some time after close.
    assert!(eventually(|| mount.vfs.file_count() == 1), "only the root is left");
    mount.finish();
}

#[test]
fn a_file_without_name_can_be_given_one() {
    let Some(mount) = Mount::new() else { return };
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let file = openat(CWD, &mount.root, flags, Mode::from_raw_mode(0o600)).expect("O_TMPFILE");
    assert_eq!(rustix::fs::fstat(&file).expect("fstat").st_nlink, 0);
    assert_eq!(fs::read_dir(&mount.root).expect("list").count(), 0);
    rustix::io::write(&file, b"kept").expect("write");
    use std::os::fd::AsRawFd;
    let handle = format!("/proc/self/fd/{}", file.as_raw_fd());
    linkat(CWD, &handle, CWD, mount.path("named"), AtFlags::SYMLINK_FOLLOW).expect("linkat");
    assert_eq!(fs::read(mount.path("named")).expect("read"), b"kept");
    assert_eq!(rustix::fs::fstat(&file).expect("fstat").st_nlink, 1);
    drop(file);
    fs::remove_file(mount.path("named")).expect("unlink");
    mount.finish();
}

#[test]
fn a_removed_directory_takes_no_names() {
    let Some(mount) = Mount::new() else { return };
    fs::create_dir(mount.path("d")).expect("mkdir");
    let dir = fs::File::open(mount.path("d")).expect("open");
    fs::remove_dir(mount.path("d")).expect("rmdir");
    let flags = OFlags::CREATE | OFlags::WRONLY;
    assert_eq!(errno(openat(&dir, "f", flags, Mode::from_raw_mode(0o600))), libc::ENOENT);
    drop(dir);
    mount.finish();
}
