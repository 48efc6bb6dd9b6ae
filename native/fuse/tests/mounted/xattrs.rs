//! Extended attributes.

use crate::support::Mount;
use hn4_fuse::testing::calls::errno;
use rustix::fs::{XattrFlags, getxattr, getxattr_query, listxattr, listxattr_query, removexattr, setxattr};
use std::fs;

#[test]
fn attributes_are_set_read_listed_and_removed() {
    let Some(mount) = Mount::new() else { return };
    let path = mount.path("f");
    fs::write(&path, b"").expect("f");
    let none = XattrFlags::empty();
    setxattr(&path, "user.a", b"1", none).expect("set");
    setxattr(&path, "user.empty", b"", none).expect("an empty value");
    setxattr(&path, "trusted.b", &[7; 40_000], none).expect("a large value");
    assert_eq!(errno(setxattr(&path, "user.a", b"2", XattrFlags::CREATE)), libc::EEXIST);
    assert_eq!(errno(setxattr(&path, "user.c", b"2", XattrFlags::REPLACE)), libc::ENODATA);
    setxattr(&path, "user.a", b"22", XattrFlags::REPLACE).expect("replace");
    let mut buf = vec![0; 65_536];
    assert_eq!(getxattr(&path, "user.a", &mut buf[..]).expect("get"), 2);
    assert_eq!(&buf[..2], b"22");
    assert_eq!(getxattr(&path, "trusted.b", &mut buf[..]).expect("get"), 40_000);
    assert_eq!(getxattr_query(&path, "trusted.b").expect("its size"), 40_000);
    assert_eq!(errno(getxattr(&path, "trusted.b", &mut [0u8; 100])), libc::ERANGE);
    assert_eq!(getxattr(&path, "user.empty", &mut buf[..]).expect("get"), 0);
    let len = listxattr(&path, &mut buf[..]).expect("list");
    assert_eq!(&buf[..len], b"trusted.b\0user.a\0user.empty\0");
    assert_eq!(listxattr_query(&path).expect("its size"), len);
    assert_eq!(errno(listxattr(&path, &mut [0u8; 3])), libc::ERANGE);
    removexattr(&path, "user.a").expect("remove");
    assert_eq!(errno(removexattr(&path, "user.a")), libc::ENODATA);
    assert_eq!(errno(getxattr(&path, "user.a", &mut buf[..])), libc::ENODATA);
    mount.finish();
}

#[test]
fn acls_are_refused_unless_asked_for() {
    let Some(mount) = Mount::new() else { return };
    fs::write(mount.path("f"), b"").expect("f");
    let acl = [2, 0, 0, 0];
    let set = setxattr(mount.path("f"), "system.posix_acl_access", &acl, XattrFlags::empty());
    assert_eq!(errno(set), libc::EOPNOTSUPP);
    mount.finish();
}

#[test]
fn a_write_removes_file_capabilities() {
    let Some(mount) = Mount::new() else { return };
    let path = mount.path("f");
    fs::write(&path, b"x").expect("f");
    // struct vfs_cap_data, revision 2: cap_chown, permitted and effective.
    let value = [1, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    setxattr(&path, "security.capability", &value, XattrFlags::empty()).expect("setcap");
    assert_eq!(getxattr(&path, "security.capability", &mut [0u8; 64]).expect("getcap"), 20);
    fs::write(&path, b"y").expect("write");
    assert_eq!(errno(getxattr(&path, "security.capability", &mut [0u8; 64])), libc::ENODATA);
    mount.finish();
}
