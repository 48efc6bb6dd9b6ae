//! What other users may do: checked by the kernel, privileges dropped by writes.

use crate::support::Mount;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
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
    fs::set_permissions(mount.root.parent().expect("parent"), fs::Permissions::from_mode(0o1777))
        .expect("reachable");
    let secret = mount.path("secret");
    fs::write(&secret, b"x").expect("create");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("chmod");
    let Some(read) = as_user("cat", &[&secret], Stdio::null()) else { return };
    assert!(!read, "0600 of root");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).expect("chmod");
    assert_eq!(as_user("cat", &[&secret], Stdio::null()), Some(true));
    assert_eq!(as_user("rm", &[&secret], Stdio::null()), Some(false), "the directory is root's");
    mount.finish();
}

#[test]
fn a_users_write_drops_set_id_bits_and_files_are_his() {
    let Some(mount) = Mount::new() else { return };
    fs::set_permissions(&mount.root, fs::Permissions::from_mode(0o777)).expect("chmod");
    let path = mount.path("f");
    fs::write(&path, b"").expect("create");
    chown(&path, Some(USER), Some(USER)).expect("chown");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o6777)).expect("chmod");
    let Some(wrote) = as_user("tee", &[&path], text()) else { return };
    assert!(wrote);
    assert_eq!(fs::metadata(&path).expect("f").mode() & 0o7777, 0o777);
    assert_eq!(as_user("touch", &[&mount.path("mine")], Stdio::null()), Some(true));
    let mine = fs::metadata(mount.path("mine")).expect("mine");
    assert_eq!((mine.uid(), mine.gid()), (USER, USER));
    mount.finish();
}
