//! Set-id bits and file capabilities over every call that changes content, beside ext4. What is left of
//! them is seen by running the program, never by stat, which would tell the kernel.

use crate::set_id_calls::{CALLS, NOBODY, change_as, run_as_nobody};
use crate::support::{Mount, on_ext4};
use hn4_fuse::testing::calls::{chmod, mode};
use hn4_fuse::{Cache, Settings};
use rustix::fs::{XattrFlags, getxattr, setxattr};
use std::ffi::CString;
use std::fs::{self, File};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

const CAPABILITY: &str = "security.capability";
/// Revision 2: cap_net_raw, effective.
const NET_RAW: [u8; 20] = [1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

fn not_root() -> bool {
    let ordinary = !rustix::process::geteuid().is_root();
    if ordinary {
        eprintln!("skipped: needs root to become another user");
    }
    ordinary
}

/// A copy of id(1) with pages behind it that may change, of root; the offset of these.
fn program(dir: &Path, name: &str, mode: u32) -> (PathBuf, u64) {
    let path = dir.join(name.replace(' ', "-"));
    let mut bytes = fs::read("/usr/bin/id").expect("id");
    bytes.resize(bytes.len().next_multiple_of(4096), 0);
    let tail = bytes.len() as u64;
    bytes.resize(bytes.len() + 4 * 4096, 1);
    fs::write(&path, bytes).expect("the program");
    chown(&path, Some(0), Some(0)).expect("chown");
    chmod(&path, mode);
    (path, tail)
}

fn c_string(path: &Path) -> CString {
    CString::new(path.to_str().expect("a plain path")).expect("no NUL")
}

/// Whether the program runs as root, and with root's group.
fn privileges(path: &Path, descriptor: Option<&File>) -> (bool, bool) {
    let said = run_as_nobody(path.to_str().expect("a plain path"), descriptor);
    (said.contains("euid=0("), said.contains("egid=0("))
}

/// After each call, by another and by root, in a directory that everybody may enter.
fn every_call(dir: &Path) {
    for (name, takes, call) in CALLS {
        let left = (!takes, !takes);
        let (path, at) = program(dir, name, 0o6777);
        assert_eq!(privileges(&path, None), (true, true), "{name}: the case did not happen");
        change_as(NOBODY, &c_string(&path), at, call).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(privileges(&path, None), left, "{name}, then run");
        fs::remove_file(&path).expect("rm");

        // The descriptor is older than the change, and than what is changed.
        let (path, at) = program(dir, name, 0o6777);
        let before = File::open(&path).expect("open");
        change_as(NOBODY, &c_string(&path), at, call).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(privileges(&path, Some(&before)), left, "{name}, then run by an old descriptor");
        fs::remove_file(&path).expect("rm");

        let (path, at) = program(dir, name, 0o6777);
        change_as(0, &c_string(&path), at, call).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(privileges(&path, None), (true, true), "{name} by root");
        fs::remove_file(&path).expect("rm");

        // Of another group the bit goes also where that group may not execute.
        let (path, at) = program(dir, name, 0o2767);
        change_as(NOBODY, &c_string(&path), at, call).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(mode(&path), if takes { 0o767 } else { 0o2767 }, "{name}: a group that may not execute");
        chown(&path, None, Some(NOBODY)).expect("chgrp");
        chmod(&path, 0o2767);
        change_as(NOBODY, &c_string(&path), at, call).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(mode(&path), 0o2767, "{name}: his own group");
        fs::remove_file(&path).expect("rm");

        for user in [NOBODY, 0] {
            let (path, at) = program(dir, name, 0o777);
            setxattr(&path, CAPABILITY, &NET_RAW, XattrFlags::empty()).expect("setcap");
            change_as(user, &c_string(&path), at, call).unwrap_or_else(|error| panic!("{name}: {error}"));
            let stays = getxattr(&path, CAPABILITY, &mut [0; 20]).is_ok();
            assert_eq!(stays, !takes, "{name}: capabilities, by {user}");
            fs::remove_file(&path).expect("rm");
        }
    }
}

fn open_to_all(root: &Path) -> PathBuf {
    let dir = root.join("d");
    fs::create_dir(&dir).expect("mkdir");
    chmod(&dir, 0o777);
    dir
}

#[test]
fn every_change_takes_privileges_and_the_kernel_knows() {
    if not_root() {
        return;
    }
    for cache in [Cache::WriteThrough, Cache::WriteBack] {
        let settings = Settings { cache, ..Settings::default() };
        let Some(mount) = Mount::with(settings.clone(), |_| {}) else { return };
        every_call(&open_to_all(&mount.root));
        mount.finish();
        let Some(mount) = Mount::volume(settings) else { return };
        every_call(&open_to_all(&mount.root));
        mount.end();
    }
}

#[test]
fn ext4_takes_the_same_privileges() {
    if not_root() {
        return;
    }
    on_ext4(|root| every_call(&open_to_all(root)));
}
