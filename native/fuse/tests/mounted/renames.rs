//! rename(2) and renameat2(2).

use crate::support::Mount;
use hn4_fuse::testing::calls::{errno, os_error, rename};
use rustix::fs::RenameFlags;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

#[test]
fn a_file_replaces_a_file_and_a_directory_an_empty_one() {
    let Some(mount) = Mount::new() else { return };
    fs::write(mount.path("a"), b"a").expect("a");
    fs::write(mount.path("b"), b"b").expect("b");
    fs::rename(mount.path("a"), mount.path("b")).expect("replace");
    assert_eq!(fs::read(mount.path("b")).expect("b"), b"a");
    fs::create_dir_all(mount.path("d/sub")).expect("d");
    fs::create_dir(mount.path("e")).expect("e");
    fs::rename(mount.path("d"), mount.path("e")).expect("over an empty directory");
    assert!(mount.path("e/sub").is_dir());
    assert_eq!(fs::metadata(&mount.root).expect("root").nlink(), 3);
    mount.finish();
}

#[test]
fn types_must_fit_and_targets_be_empty() {
    let Some(mount) = Mount::new() else { return };
    fs::write(mount.path("f"), b"").expect("f");
    fs::create_dir_all(mount.path("d/sub")).expect("d/sub");
    fs::create_dir(mount.path("e")).expect("e");
    let rename = |from, to| os_error(fs::rename(mount.path(from), mount.path(to)));
    assert_eq!(rename("f", "e"), libc::EISDIR);
    assert_eq!(rename("e", "f"), libc::ENOTDIR);
    assert_eq!(rename("e", "d"), libc::ENOTEMPTY);
    assert_eq!(rename("d", "d/sub/x"), libc::EINVAL);
    assert_eq!(rename("d/sub", "d"), libc::ENOTEMPTY);
    assert_eq!(rename("none", "x"), libc::ENOENT);
    mount.finish();
}

#[test]
fn two_names_of_one_file_stay() {
    let Some(mount) = Mount::new() else { return };
    fs::write(mount.path("a"), b"x").expect("a");
    fs::hard_link(mount.path("a"), mount.path("b")).expect("b");
    fs::rename(mount.path("a"), mount.path("b")).expect("a no-op");
    assert_eq!(fs::metadata(mount.path("a")).expect("a stays").nlink(), 2);
    mount.finish();
}

#[test]
fn a_moved_directory_has_a_new_parent() {
    let Some(mount) = Mount::new() else { return };
    fs::create_dir_all(mount.path("a/d")).expect("a/d");
    fs::create_dir(mount.path("b")).expect("b");
    fs::rename(mount.path("a/d"), mount.path("b/d")).expect("move");
    let of = |name| fs::metadata(mount.path(name)).expect(name);
    assert_eq!((of("a").nlink(), of("b").nlink()), (2, 3));
    assert_eq!(of("b/d/..").ino(), of("b").ino());
    mount.finish();
}

#[test]
fn noreplace_refuses_a_taken_name_and_exchange_swaps_two() {
    let Some(mount) = Mount::new() else { return };
    let rename = |from: &str, to: &str, flags| rename(mount.path(from), mount.path(to), flags);
    fs::write(mount.path("f"), b"f").expect("f");
    fs::create_dir_all(mount.path("d/sub")).expect("d");
    assert_eq!(errno(rename("f", "d", RenameFlags::NOREPLACE)), libc::EEXIST);
    rename("f", "g", RenameFlags::NOREPLACE).expect("free name");
    assert_eq!(errno(rename("g", "none", RenameFlags::EXCHANGE)), libc::ENOENT);
    rename("g", "d/sub", RenameFlags::EXCHANGE).expect("file and directory");
    assert!(mount.path("g").is_dir());
    assert_eq!(fs::read(mount.path("d/sub")).expect("the file"), b"f");
    let of = |name| fs::metadata(mount.path(name)).expect(name);
    assert_eq!((of("").nlink(), of("d").nlink()), (4, 2));
    assert_eq!(of("g/..").ino(), of("").ino());
    assert_eq!(errno(rename("d", "d/sub", RenameFlags::EXCHANGE)), libc::EINVAL);
    mount.finish();
}

#[test]
fn whiteout_leaves_a_device_0_0() {
    let Some(mount) = Mount::new() else { return };
    fs::write(mount.path("f"), b"f").expect("f");
    rename(mount.path("f"), mount.path("g"), RenameFlags::WHITEOUT).expect("whiteout");
    let left = fs::symlink_metadata(mount.path("f")).expect("left behind");
    assert!(left.file_type().is_char_device());
    assert_eq!(left.rdev(), 0);
    assert_eq!(fs::read(mount.path("g")).expect("moved"), b"f");
    mount.finish();
}
