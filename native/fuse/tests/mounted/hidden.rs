//! What ordinary users do not get to see: paths below directories that they may not search, by
//! `/.hn4/id`, and names of the administrator's attributes.

use crate::support::Mount;
use hn4_core::vfs::FileSystem;
use hn4_fuse::Settings;
use hn4_fuse::testing::calls::chmod;
use rustix::fs::{XattrFlags, getxattr, listxattr, setxattr};
use std::ffi::CString;
use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const USER: u32 = 65_534;
const GROUP: u32 = 54_321;

fn as_user(group: u32, program: &str, arguments: &[&Path]) -> Output {
    Command::new(program).args(arguments).uid(USER).gid(group).output().expect(program)
}

fn volume() -> Option<Mount<FileSystem>> {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: needs root to become another user");
        return None;
    }
    Mount::volume(Settings { posix_acl: true, ..Settings::default() })
}

/// The link to a file by its public id.
fn link_to(mount: &Mount<FileSystem>, path: &Path) -> PathBuf {
    let mut id = [0; 64];
    let length = getxattr(path, "user.hn4.public_id", &mut id).expect("a public id");
    let id = std::str::from_utf8(&id[..length]).expect("text");
    mount.path(".hn4/id").join(id.trim_end_matches('\n'))
}

#[test]
fn a_path_is_shown_to_who_may_walk_it() {
    let Some(mount) = volume() else { return };
    let (outer, inner) = (mount.path("outer"), mount.path("outer/inner"));
    fs::create_dir_all(&inner).expect("mkdir");
    fs::write(inner.join("secret-name"), b"x").expect("f");
    let link = link_to(&mount, &inner.join("secret-name"));
    let shown = |group: u32| {
        let output = as_user(group, "readlink", &[&link]);
        let text = String::from_utf8(output.stdout).expect("text");
        assert_eq!(output.status.success(), !text.is_empty());
        text
    };
    let path = "../../outer/inner/secret-name\n";
    assert_eq!(shown(USER), path);
    for closed in [&outer, &inner] {
        chmod(closed, 0o700);
        assert_eq!(shown(USER), "", "{}", closed.display());
        assert_eq!(fs::read_link(&link).expect("root sees it"), Path::new(path.trim_end()));
        chmod(closed, 0o711);
        assert_eq!(shown(USER), path, "to search is enough");
        // By his group, and not by what others may.
        chown(closed, None, Some(GROUP)).expect("chgrp");
        chmod(closed, 0o710);
        assert_eq!((shown(USER).as_str(), shown(GROUP).as_str()), ("", path));
        chmod(closed, 0o701);
        assert_eq!((shown(USER).as_str(), shown(GROUP).as_str()), (path, ""));
        // By an access list: user::rwx, user:USER:--x, group::---, mask::--x, other::---
        chmod(closed, 0o700);
        let mut list = vec![2, 0, 0, 0];
        for (tag, perm, id) in
            [(1u16, 7u16, u32::MAX), (2, 1, USER), (4, 0, u32::MAX), (16, 1, u32::MAX), (32, 0, u32::MAX)]
        {
            list.extend([tag.to_le_bytes(), perm.to_le_bytes()].concat());
            list.extend(id.to_le_bytes());
        }
        setxattr(closed, "system.posix_acl_access", &list, XattrFlags::empty()).expect("setfacl");
        assert_eq!(shown(USER), path);
        chmod(closed, 0o700);
        assert_eq!(shown(USER), "", "the mask is gone");
        chown(closed, Some(USER), None).expect("chown");
        assert_eq!(shown(USER), path, "the owner");
        chown(closed, Some(0), None).expect("chown");
        chmod(closed, 0o755);
    }
    mount.end();
}

#[test]
fn a_path_through_a_large_directory_follows_renames() {
    let Some(mount) = volume() else { return };
    for i in 0..700 {
        fs::write(mount.path(format!("f{i}")), b"").expect("create");
    }
    for i in [0, 350, 699] {
        let (old, new) = (format!("f{i}"), format!("g{i}"));
        let link = link_to(&mount, &mount.path(&old));
        for _ in 0..2 {
            assert_eq!(fs::read_link(&link).expect("found"), Path::new("../..").join(&old));
        }
        fs::rename(mount.path(&old), mount.path(&new)).expect("mv");
        fs::write(mount.path(&old), b"").expect("another of its old name");
        assert_eq!(fs::read_link(&link).expect("found"), Path::new("../..").join(&new));
    }
    mount.end();
}

#[test]
fn names_of_trusted_attributes_are_the_administrators() {
    let Some(mount) = volume() else { return };
    let path = mount.path("f");
    fs::write(&path, b"x").expect("f");
    for name in ["trusted.hidden", "user.shown", "security.shown", "trusted.other"] {
        setxattr(&path, name, b"value", XattrFlags::empty()).expect(name);
    }
    let mut all = [0; 256];
    let length = listxattr(&path, &mut all[..]).expect("listxattr");
    let all = String::from_utf8(all[..length].to_vec()).expect("text");
    assert!(all.contains("trusted.hidden\0") && all.contains("trusted.other\0"), "{all:?}");
    let path = CString::new(path.to_str().expect("a plain path")).expect("no NUL");
    let mut command = Command::new("/bin/true");
    command.uid(USER).gid(USER);
    let list = move || -> std::io::Result<()> {
        let mut names = [0; 256];
        let length = listxattr(path.as_c_str(), &mut names[..])?;
        // SAFETY: so many bytes of the array, to standard output.
        unsafe { libc::write(1, names.as_ptr().cast(), length) };
        Ok(())
    };
    // SAFETY: system calls only.
    unsafe { command.pre_exec(list) };
    let shown = String::from_utf8(command.output().expect("listed").stdout).expect("text");
    assert!(shown.contains("user.shown\0") && shown.contains("security.shown\0"), "{shown:?}");
    assert!(!shown.contains("trusted"), "{shown:?}");
    mount.end();
}
