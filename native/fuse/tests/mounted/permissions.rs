//! What other users may do: checked by the kernel, privileges dropped by writes.

use crate::support::Mount;
use hn4_fuse::Settings;
use hn4_fuse::testing::calls::{chmod, mode};
use rustix::fs::{XattrFlags, getxattr, removexattr, setxattr};
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

const USER: u32 = 65_534;

/// Runs a program as an ordinary user; true if it succeeded. None where we are one ourselves.
fn as_user(program: &str, arguments: &[&std::path::Path], input: Stdio) -> Option<bool> {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: needs root to become another user");
        return None;
    }
    let mut command = Command::new(program);
    command.args(arguments).uid(USER).gid(USER).stdin(input).stdout(Stdio::null()).stderr(Stdio::null());
    Some(command.status().expect(program).success())
}

fn text() -> Stdio {
    Stdio::from(fs::File::open("/proc/self/comm").expect("some text"))
}

#[test]
fn the_kernel_checks_modes() {
    let Some(mount) = Mount::new() else { return };
    chmod(mount.root.parent().expect("parent"), 0o1777);
    let secret = mount.path("secret");
    fs::write(&secret, b"x").expect("create");
    chmod(&secret, 0o600);
    let Some(read) = as_user("cat", &[&secret], Stdio::null()) else { return };
    assert!(!read, "0600 of root");
    chmod(&secret, 0o644);
    assert_eq!(as_user("cat", &[&secret], Stdio::null()), Some(true));
    assert_eq!(as_user("rm", &[&secret], Stdio::null()), Some(false), "the directory is root's");
    mount.finish();
}

#[test]
fn a_users_write_drops_set_id_bits_and_files_are_his() {
    let Some(mount) = Mount::new() else { return };
    chmod(&mount.root, 0o777);
    let path = mount.path("f");
    fs::write(&path, b"").expect("create");
    chown(&path, Some(USER), Some(USER)).expect("chown");
    chmod(&path, 0o6777);
    let Some(wrote) = as_user("tee", &[&path], text()) else { return };
    assert!(wrote);
    assert_eq!(mode(&path), 0o777);
    assert_eq!(as_user("touch", &[&mount.path("mine")], Stdio::null()), Some(true));
    let mine = fs::metadata(mount.path("mine")).expect("mine");
    assert_eq!((mine.uid(), mine.gid()), (USER, USER));
    mount.finish();
}

/// A list in the attribute's form, from (tag, permissions, id).
fn acl(entries: &[(u16, u16, u32)]) -> Vec<u8> {
    let mut bytes = vec![2, 0, 0, 0];
    for &(tag, perm, id) in entries {
        bytes.extend([tag.to_le_bytes(), perm.to_le_bytes()].concat());
        bytes.extend(id.to_le_bytes());
    }
    bytes
}

const UNDEFINED: u32 = u32::MAX;

#[test]
fn access_control_lists_let_named_users_in() {
    let Some(mount) = Mount::with(Settings { posix_acl: true, ..Settings::default() }, |_| {}) else {
        return;
    };
    let path = mount.path("f");
    fs::write(&path, b"x").expect("create");
    chmod(&path, 0o600);
    let Some(read) = as_user("cat", &[&path], Stdio::null()) else { return };
    assert!(!read);
    let list =
        acl(&[(1, 6, UNDEFINED), (2, 4, USER), (4, 0, UNDEFINED), (16, 4, UNDEFINED), (32, 0, UNDEFINED)]);
    setxattr(&path, "system.posix_acl_access", &list, XattrFlags::empty()).expect("setfacl");
    assert_eq!(mode(&path), 0o640, "the mask shows");
    assert_eq!(as_user("cat", &[&path], Stdio::null()), Some(true));
    chmod(&path, 0o600);
    assert_eq!(as_user("cat", &[&path], Stdio::null()), Some(false), "chmod took the mask away");
    let mut value = [0; 64];
    let len = getxattr(&path, "system.posix_acl_access", &mut value).expect("getfacl");
    assert_eq!((len, value[30]), (44, 0));
    mount.finish();
}

#[test]
fn default_lists_are_inherited_and_put_the_umask_aside() {
    let Some(mount) = Mount::with(Settings { posix_acl: true, ..Settings::default() }, |_| {}) else {
        return;
    };
    let list =
        acl(&[(1, 7, UNDEFINED), (2, 6, USER), (4, 7, UNDEFINED), (16, 7, UNDEFINED), (32, 4, UNDEFINED)]);
    fs::create_dir(mount.path("d")).expect("mkdir");
    setxattr(mount.path("d"), "system.posix_acl_default", &list, XattrFlags::empty()).expect("setfacl -d");
    let script = "umask 022; cd \"$0\"; : > plain; : > d/f; mkdir d/sub";
    assert!(Command::new("sh").args(["-ec", script]).arg(&mount.root).status().expect("sh").success());
    assert_eq!(mode(mount.path("plain")), 0o644, "here the umask applies");
    assert_eq!(mode(mount.path("d/f")), 0o664, "0666 by the list; a umask of 022 would give 0644");
    assert_eq!(mode(mount.path("d/sub")), 0o774);
    let mut value = [0; 64];
    let len = getxattr(mount.path("d/sub"), "system.posix_acl_default", &mut value).expect("inherited");
    assert_eq!(value[..len], list);
    removexattr(mount.path("d"), "system.posix_acl_default").expect("setfacl -k");
    fs::write(mount.path("d/g"), b"").expect("create");
    assert_eq!(mode(mount.path("d/g")) & 0o020, 0, "the umask is back");
    mount.finish();
}
